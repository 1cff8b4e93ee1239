"""The objects of the API: kinds, quantities, selectors, default values, and errors as objects of kind Status."""
