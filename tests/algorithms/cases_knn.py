"""Rules of k-NN."""

from __future__ import annotations

from rule_case import REAL, ZERO_ONE, Case, Labels, idle, train

REGRESSOR = {"predictor_type": "regressor"}

KNN = (
    Case(
        "KNN",
        1,
        "error",
        "dimension_reduction_target is required",
        {"dimension_reduction_type": "sign"},
        {"dimension_reduction_type": "sign", "dimension_reduction_target": 3},
    ),
    Case(
        "KNN",
        1,
        "error",
        "dimension_reduction_target is required",
        {"dimension_reduction_type": "fjlt"},
        {"dimension_reduction_type": "fjlt", "dimension_reduction_target": 3},
    ),
    Case(
        "KNN",
        1,
        "error",
        "dimension_reduction_target is 8, but the data have 8",
        {"dimension_reduction_type": "sign", "dimension_reduction_target": 8, "feature_dim": 8},
        {"dimension_reduction_type": "sign", "dimension_reduction_target": 7, "feature_dim": 8},
    ),
    Case(
        "KNN",
        1,
        "error",
        "dimension_reduction_target is 20, but the data have 20",
        {"dimension_reduction_type": "sign", "dimension_reduction_target": 20},
        {"dimension_reduction_type": "sign", "dimension_reduction_target": 19},
        (train(labels=ZERO_ONE),),
        (train(labels=ZERO_ONE),),
    ),
    idle(
        "KNN",
        1,
        "dimension_reduction_target",
        {"dimension_reduction_target": 2},
        {"dimension_reduction_target": 2, "dimension_reduction_type": "fjlt"},
    ),
    *(
        idle(
            "KNN",
            2,
            "faiss_index_ivf_nlists",
            {"faiss_index_ivf_nlists": 9},
            {"faiss_index_ivf_nlists": 9, "index_type": index},
        )
        for index in ("faiss.IVFFlat", "faiss.IVFPQ")
    ),
    *(
        idle(
            "KNN",
            3,
            "faiss_index_pq_m",
            {"faiss_index_pq_m": 4, "index_type": index},
            {"faiss_index_pq_m": 4, "index_type": "faiss.IVFPQ"},
        )
        for index in ("faiss.Flat", "faiss.IVFFlat")
    ),
    Case(
        "KNN",
        3,
        "warning",
        "faiss_index_pq_m, 8, does not divide 20 dimensions; vectors are padded with zeros to 24",
        {"faiss_index_pq_m": 8, "index_type": "faiss.IVFPQ"},
        {"faiss_index_pq_m": 4, "index_type": "faiss.IVFPQ"},
        (train(labels=ZERO_ONE),),
        (train(labels=ZERO_ONE),),
    ),
    Case(
        "KNN",
        3,
        "warning",
        "faiss_index_pq_m, 4, does not divide 10 dimensions; dimension_reduction_target is raised to 12",
        {
            "faiss_index_pq_m": 4,
            "index_type": "faiss.IVFPQ",
            "dimension_reduction_type": "sign",
            "dimension_reduction_target": 10,
        },
        {
            "faiss_index_pq_m": 2,
            "index_type": "faiss.IVFPQ",
            "dimension_reduction_type": "sign",
            "dimension_reduction_target": 10,
        },
        (train(labels=ZERO_ONE),),
        (train(labels=ZERO_ONE),),
    ),
    *(
        Case(
            "KNN",
            4,
            "error",
            f"'{metric}' for index_metric when index_type is 'faiss.IVFPQ'",
            {"index_metric": metric, "index_type": "faiss.IVFPQ"},
            {"index_metric": good, "index_type": index},
        )
        for metric, good, index in (
            ("COSINE", "L2", "faiss.IVFPQ"),
            ("INNER_PRODUCT", "INNER_PRODUCT", "faiss.IVFFlat"),
        )
    ),
    Case(
        "KNN",
        5,
        "error",
        "sample_size is 1,001",
        {"sample_size": 1001},
        {"sample_size": 1000},
        (train(labels=ZERO_ONE),),
        (train(labels=ZERO_ONE),),
    ),
    Case(
        "KNN",
        0,
        "error",
        "k is 20, but channel train has 19",
        {"k": 20, "sample_size": 19},
        {"k": 19, "sample_size": 19},
        (train(19, labels=ZERO_ONE),),
        (train(19, labels=ZERO_ONE),),
    ),
    Case("KNN", 0, "warning", "k is 101, but only sample_size, 100", {"k": 101}, {"k": 100}),
    Case(
        "KNN",
        0,
        "error",
        "Expecting when predictor_type is 'classifier': whole numbers",
        {},
        {},
        (train(labels=REAL),),
        (train(labels=Labels(-1, 5, True)),),
    ),
    Case(
        "KNN",
        0,
        "error",
        "Expecting when predictor_type is 'classifier'",
        {},
        REGRESSOR,
        (train(labels=REAL),),
        (train(labels=REAL),),
    ),
)
