"""What may leave, judged rule by rule; `output.disclosure` is the only door."""
