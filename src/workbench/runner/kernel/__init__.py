"""The process that executes a notebook: started cold or forked warm, and watched over."""
