"""A canary: started, watched, approved and recorded."""
