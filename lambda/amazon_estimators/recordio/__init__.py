"""RecordIO-protobuf, the file format of Amazon's first-party algorithms: write it, read it, check it."""

from amazon_estimators.recordio.checker import Summary, check
from amazon_estimators.recordio.csr_rows import CsrParts
from amazon_estimators.recordio.dense import encode_dense, write_numpy_to_dense_tensor
from amazon_estimators.recordio.reader import read_matrix, read_records
from amazon_estimators.recordio.sparse import encode_sparse, write_spmatrix_to_sparse_tensor

__all__ = [
    "CsrParts",
    "Summary",
    "check",
    "encode_dense",
    "encode_sparse",
    "read_matrix",
    "read_records",
    "write_numpy_to_dense_tensor",
    "write_spmatrix_to_sparse_tensor",
]
