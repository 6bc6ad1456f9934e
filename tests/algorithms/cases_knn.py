"""Rules of k-NN."""

from __future__ import annotations

from rule_case import REAL, ZERO_ONE, Case, Labels, idle, train

REGRESSOR = {"predictor_type": "regressor"}

KNN = (
    Case(
        algorithm="KNN",
        rule=1,
        outcome="error",
        says="dimension_reduction_target is required",
        hyperparameters={"dimension_reduction_type": "sign"},
        mended={"dimension_reduction_type": "sign", "dimension_reduction_target": 3},
    ),
    Case(
        algorithm="KNN",
        rule=1,
        outcome="error",
        says="dimension_reduction_target is required",
        hyperparameters={"dimension_reduction_type": "fjlt"},
        mended={"dimension_reduction_type": "fjlt", "dimension_reduction_target": 3},
    ),
    Case(
        algorithm="KNN",
        rule=1,
        outcome="error",
        says="dimension_reduction_target is 8, but the data have 8",
        hyperparameters={
            "dimension_reduction_type": "sign",
            "dimension_reduction_target": 8,
            "feature_dim": 8,
        },
        mended={"dimension_reduction_type": "sign", "dimension_reduction_target": 7, "feature_dim": 8},
    ),
    Case(
        algorithm="KNN",
        rule=1,
        outcome="error",
        says="dimension_reduction_target is 20, but the data have 20",
        hyperparameters={"dimension_reduction_type": "sign", "dimension_reduction_target": 20},
        mended={"dimension_reduction_type": "sign", "dimension_reduction_target": 19},
        data=(train(labels=ZERO_ONE),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    idle(
        algorithm="KNN",
        rule=1,
        name="dimension_reduction_target",
        bad={"dimension_reduction_target": 2},
        good={"dimension_reduction_target": 2, "dimension_reduction_type": "fjlt"},
    ),
    *(
        idle(
            algorithm="KNN",
            rule=2,
            name="faiss_index_ivf_nlists",
            bad={"faiss_index_ivf_nlists": 9},
            good={"faiss_index_ivf_nlists": 9, "index_type": index},
        )
        for index in ("faiss.IVFFlat", "faiss.IVFPQ")
    ),
    *(
        idle(
            algorithm="KNN",
            rule=3,
            name="faiss_index_pq_m",
            bad={"faiss_index_pq_m": 4, "index_type": index},
            good={"faiss_index_pq_m": 4, "index_type": "faiss.IVFPQ"},
        )
        for index in ("faiss.Flat", "faiss.IVFFlat")
    ),
    Case(
        algorithm="KNN",
        rule=3,
        outcome="warning",
        says="faiss_index_pq_m, 8, does not divide 20 dimensions; vectors are padded with zeros to 24",
        hyperparameters={"faiss_index_pq_m": 8, "index_type": "faiss.IVFPQ"},
        mended={"faiss_index_pq_m": 4, "index_type": "faiss.IVFPQ"},
        data=(train(labels=ZERO_ONE),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    Case(
        algorithm="KNN",
        rule=3,
        outcome="warning",
        says="faiss_index_pq_m, 4, does not divide 10 dimensions; dimension_reduction_target is raised to 12",
        hyperparameters={
            "faiss_index_pq_m": 4,
            "index_type": "faiss.IVFPQ",
            "dimension_reduction_type": "sign",
            "dimension_reduction_target": 10,
        },
        mended={
            "faiss_index_pq_m": 2,
            "index_type": "faiss.IVFPQ",
            "dimension_reduction_type": "sign",
            "dimension_reduction_target": 10,
        },
        data=(train(labels=ZERO_ONE),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    *(
        Case(
            algorithm="KNN",
            rule=4,
            outcome="error",
            says=f"'{metric}' for index_metric when index_type is 'faiss.IVFPQ'",
            hyperparameters={"index_metric": metric, "index_type": "faiss.IVFPQ"},
            mended={"index_metric": good, "index_type": index},
        )
        for metric, good, index in (
            ("COSINE", "L2", "faiss.IVFPQ"),
            ("INNER_PRODUCT", "INNER_PRODUCT", "faiss.IVFFlat"),
        )
    ),
    Case(
        algorithm="KNN",
        rule=5,
        outcome="warning",
        says="sample_size is 1,001",
        hyperparameters={"sample_size": 1001},
        mended={"sample_size": 1000},
        data=(train(labels=ZERO_ONE),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    Case(
        algorithm="KNN",
        rule=0,
        outcome="warning",
        says="k is 20, but channel train has 19",
        hyperparameters={"k": 20, "sample_size": 19},
        mended={"k": 19, "sample_size": 19},
        data=(train(19, labels=ZERO_ONE),),
        mended_data=(train(19, labels=ZERO_ONE),),
    ),
    Case(
        algorithm="KNN",
        rule=0,
        outcome="warning",
        says="k is 101, but only sample_size, 100",
        hyperparameters={"k": 101},
        mended={"k": 100},
    ),
    Case(
        algorithm="KNN",
        rule=0,
        outcome="warning",
        says="Expecting when predictor_type is 'classifier': whole numbers",
        hyperparameters={},
        mended={},
        data=(train(labels=REAL),),
        mended_data=(train(labels=Labels(-1, 5, True)),),
    ),
    Case(
        algorithm="KNN",
        rule=0,
        outcome="warning",
        says="Expecting when predictor_type is 'classifier'",
        hyperparameters={},
        mended=REGRESSOR,
        data=(train(labels=REAL),),
        mended_data=(train(labels=REAL),),
    ),
)
