"""Rules of Factorization Machines, Object2Vec and IP Insights."""

from __future__ import annotations

from typing import Any

from rule_case import REAL, ZERO_ONE, Case, Labels, classes, idle, other, train

from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.summaries import Tokens

REGRESSOR = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
OWN_NETWORK = {"enc1_network": "hcnn", "enc1_max_seq_len": 10, "enc1_vocab_size": 50}

FACTORIZATION_MACHINES = (
    *tuple(
        idle(
            "FactorizationMachines",
            1,
            f"{term}_init_{what}",
            {f"{term}_init_{what}": 0.1, f"{term}_init_method": unused},
            {f"{term}_init_{what}": 0.1, f"{term}_init_method": used},
        )
        for term in ("bias", "linear", "factors")
        for what, used, unused in (
            ("scale", "uniform", "normal"),
            ("sigma", "normal", "constant"),
            ("value", "constant", "uniform"),
        )
    ),
    Case(
        "FactorizationMachines",
        4,
        "error",
        "Labels of channel train",
        BINARY,
        BINARY,
        (train(labels=classes(3)),),
        (train(labels=ZERO_ONE),),
    ),
    Case(
        "FactorizationMachines",
        4,
        "error",
        "Labels of channel test",
        BINARY,
        REGRESSOR,
        (train(labels=ZERO_ONE), other("test", labels=REAL)),
        (train(labels=ZERO_ONE), other("test", labels=REAL)),
    ),
    Case(
        "FactorizationMachines",
        0,
        "error",
        "has no labels",
        REGRESSOR,
        REGRESSOR,
        (train(),),
        (train(labels=REAL),),
    ),
    Case(
        "FactorizationMachines",
        0,
        "error",
        "sparse records, which do not train on ml.p3.2xlarge",
        {},
        {},
        (train(labels=REAL, sparse=True),),
        (train(labels=REAL, sparse=True),),
        "ml.p3.2xlarge",
        "ml.c5.xlarge",
    ),
    Case(
        "FactorizationMachines",
        0,
        "error",
        "sparse records",
        {},
        {},
        (train(labels=REAL, sparse=True),),
        (train(labels=REAL),),
        "ml.g5.xlarge",
        "ml.g5.xlarge",
    ),
)


def pairs(labels: Labels | None = ZERO_ONE, **more: Any) -> RecordSet:
    """Pairs of token lists."""
    return train(features=0, content_type="application/jsonlines", labels=labels, **more)


def logins(**more: Any) -> RecordSet:
    """Entities and addresses."""
    return train(features=0, content_type="text/csv", **more)


def files(*names: str) -> RecordSet:
    """The auxiliary channel; without names it is not known which files it holds."""
    return other("auxiliary", 1, 0, content_type="text/plain", files=names or None)


OBJECT2VEC = (
    idle(
        "Object2Vec",
        1,
        "num_classes",
        {"num_classes": 3, "output_layer": "mean_squared_error"},
        {"num_classes": 3},
    ),
    Case(
        "Object2Vec",
        1,
        "error",
        "Labels of channel train",
        {},
        {"num_classes": 3},
        (pairs(classes(3)),),
        (pairs(classes(3)),),
    ),
    Case(
        "Object2Vec",
        1,
        "error",
        "Labels of channel train",
        {},
        {"output_layer": "mean_squared_error"},
        (pairs(REAL),),
        (pairs(REAL),),
    ),
    *(
        idle(
            "Object2Vec",
            2,
            name,
            {name: value},
            {**OWN_NETWORK, "enc1_pretrained_embedding_file": "v", name: value},
        )
        for name, value in (
            ("enc1_cnn_filter_width", 2),
            ("enc1_freeze_pretrained_embedding", False),
            ("enc1_layers", 2),
            ("enc1_max_seq_len", 9),
            ("enc1_pretrained_embedding_file", "v"),
            ("enc1_token_embedding_dim", 8),
            ("enc1_vocab_file", "v"),
            ("enc1_vocab_size", 9),
        )
    ),
    *(
        Case(
            "Object2Vec",
            3,
            "error",
            f"{name} is required when enc1_network is '{network}'",
            {key: value for key, value in own.items() if key != name},
            own,
        )
        for name in ("enc1_max_seq_len", "enc1_vocab_size")
        for network in ("hcnn", "bilstm", "pooled_embedding")
        for own in ({**OWN_NETWORK, "enc1_network": network},)
    ),
    *(
        idle(
            "Object2Vec",
            3,
            f"{encoder}_cnn_filter_width",
            {**own, f"{encoder}_cnn_filter_width": 2, f"{encoder}_network": network},
            {**own, f"{encoder}_cnn_filter_width": 2},
        )
        for encoder, own in (("enc0", {}), ("enc1", OWN_NETWORK))
        for network in ("bilstm", "pooled_embedding")
    ),
    *(
        idle(
            "Object2Vec",
            4,
            f"{encoder}_layers",
            {**own, f"{encoder}_layers": 2, f"{encoder}_network": "pooled_embedding"},
            {**own, f"{encoder}_layers": 2, f"{encoder}_network": network},
        )
        for encoder, own in (("enc0", {}), ("enc1", OWN_NETWORK))
        for network in ("hcnn", "bilstm")
    ),
    Case(
        "Object2Vec",
        6,
        "warning",
        "optimizer 'rmsprop' may be refused",
        {"token_embedding_storage_type": "row_sparse", "optimizer": "rmsprop"},
        {"token_embedding_storage_type": "row_sparse"},
    ),
    idle(
        "Object2Vec",
        6,
        "bucket_width",
        {"token_embedding_storage_type": "row_sparse", "bucket_width": 5},
        {"bucket_width": 5},
    ),
    *(
        Case(
            "Object2Vec",
            10,
            "warning",
            f"and enc1_{setting} 49: make them equal",
            {
                **OWN_NETWORK,
                "tied_token_embedding_weight": True,
                f"enc0_{setting}": 50,
                f"enc1_{setting}": 49,
            },
            {
                **OWN_NETWORK,
                "tied_token_embedding_weight": tied,
                f"enc0_{setting}": 50,
                f"enc1_{setting}": second,
            },
        )
        for setting in ("vocab_size", "token_embedding_dim")
        for tied, second in ((True, 50), (False, 49))
    ),
    *(
        idle(
            "Object2Vec",
            0,
            f"enc0_{name}",
            {f"enc0_{name}": value},
            {f"enc0_{name}": value, "enc0_pretrained_embedding_file": "vectors.txt"},
        )
        for name, value in (("freeze_pretrained_embedding", False), ("vocab_file", "words.txt"))
    ),
    idle(
        "Object2Vec",
        0,
        "enc1_vocab_file",
        {**OWN_NETWORK, "enc1_vocab_file": "words.txt"},
        {**OWN_NETWORK, "enc1_vocab_file": "words.txt", "enc1_pretrained_embedding_file": "vectors.txt"},
    ),
    Case(
        "Object2Vec",
        0,
        "error",
        "enc0_pretrained_embedding_file is 'v', a file of channel auxiliary",
        {"enc0_pretrained_embedding_file": "v"},
        {"enc0_pretrained_embedding_file": "v"},
        (pairs(),),
        (pairs(), files()),
    ),
    Case(
        "Object2Vec",
        0,
        "error",
        "enc1_vocab_file is 'w', a file of channel auxiliary",
        {**OWN_NETWORK, "enc1_pretrained_embedding_file": "v", "enc1_vocab_file": "w"},
        OWN_NETWORK,
        (pairs(),),
        (pairs(),),
    ),
    Case(
        "Object2Vec",
        0,
        "error",
        "enc0_pretrained_embedding_file is 'v', but channel auxiliary holds w",
        {"enc0_pretrained_embedding_file": "v"},
        {"enc0_pretrained_embedding_file": "v"},
        (pairs(), files("w")),
        (pairs(), files("w", "v")),
    ),
    Case(
        "Object2Vec",
        0,
        "error",
        "in1 of channel train holds token id 100, but enc0_vocab_size is 100",
        {"enc0_vocab_size": 100},
        {"enc0_vocab_size": 101},
        (pairs(tokens=(Tokens(99, 1), Tokens(100, 1))),),
        (pairs(tokens=(Tokens(99, 1), Tokens(100, 1))),),
    ),
    Case("Object2Vec", 0, "error", "has no labels", {}, {}, (pairs(None),), (pairs(),)),
)

IP_INSIGHTS = (
    *(
        Case(
            "IPInsights",
            1,
            "error",
            "Expecting: a sum of at least 1 and at most 500",
            {"random_negative_sampling_rate": bad[0], "shuffled_negative_sampling_rate": bad[1]},
            {"random_negative_sampling_rate": good[0], "shuffled_negative_sampling_rate": good[1]},
        )
        for bad, good in (((0, 0), (0, 1)), ((250, 251), (250, 250)), ((500, 1), (500, 0)))
    ),
    Case(
        "IPInsights",
        1,
        "error",
        "add up to 501",
        {"random_negative_sampling_rate": 500},
        {"random_negative_sampling_rate": 499},
    ),
    Case(
        "IPInsights",
        2,
        "error",
        "make a model of 9.0 GB",
        {"vector_dim": 9, "num_entity_vectors": 250_000_000},
        {"vector_dim": 8, "num_entity_vectors": 250_000_000},
    ),
    Case(
        "IPInsights",
        2,
        "error",
        "a model of 8.0 GB",
        {"vector_dim": 2048, "num_entity_vectors": 976_563},
        {"vector_dim": 2048, "num_entity_vectors": 976_562},
    ),
    Case(
        "IPInsights", 0, "error", "Channel train has labels", {}, {}, (logins(labels=ZERO_ONE),), (logins(),)
    ),
    Case(
        "IPInsights",
        0,
        "error",
        "mini_batch_size is 1,001",
        {"mini_batch_size": 1001},
        {"mini_batch_size": 1000},
        (logins(),),
        (logins(),),
    ),
)
