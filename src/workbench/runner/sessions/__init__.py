"""What a study's notebook works with, by kind of study."""
