"""Many runs: planned together, made by threads, processes or machines, gathered."""
