"""NumPy's .npy and .npz files, SciPy's CSR among them."""
