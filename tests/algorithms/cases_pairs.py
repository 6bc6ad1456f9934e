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
            algorithm="FactorizationMachines",
            rule=1,
            name=f"{term}_init_{what}",
            bad={f"{term}_init_{what}": 0.1, f"{term}_init_method": unused},
            good={f"{term}_init_{what}": 0.1, f"{term}_init_method": used},
        )
        for term in ("bias", "linear", "factors")
        for what, used, unused in (
            ("scale", "uniform", "normal"),
            ("sigma", "normal", "constant"),
            ("value", "constant", "uniform"),
        )
    ),
    Case(
        algorithm="FactorizationMachines",
        rule=4,
        outcome="warning",
        says="Labels of channel train",
        hyperparameters=BINARY,
        mended=BINARY,
        data=(train(labels=classes(3)),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    Case(
        algorithm="FactorizationMachines",
        rule=4,
        outcome="warning",
        says="Labels of channel test",
        hyperparameters=BINARY,
        mended=REGRESSOR,
        data=(train(labels=ZERO_ONE), other("test", labels=REAL)),
        mended_data=(train(labels=ZERO_ONE), other("test", labels=REAL)),
    ),
    Case(
        algorithm="FactorizationMachines",
        rule=0,
        outcome="error",
        says="has no labels",
        hyperparameters=REGRESSOR,
        mended=REGRESSOR,
        data=(train(),),
        mended_data=(train(labels=REAL),),
    ),
    Case(
        algorithm="FactorizationMachines",
        rule=0,
        outcome="error",
        says="sparse records, which do not train on ml.p3.2xlarge",
        hyperparameters={},
        mended={},
        data=(train(labels=REAL, sparse=True),),
        mended_data=(train(labels=REAL, sparse=True),),
        instance_type="ml.p3.2xlarge",
        mended_instance_type="ml.c5.xlarge",
    ),
    Case(
        algorithm="FactorizationMachines",
        rule=0,
        outcome="error",
        says="sparse records",
        hyperparameters={},
        mended={},
        data=(train(labels=REAL, sparse=True),),
        mended_data=(train(labels=REAL),),
        instance_type="ml.g5.xlarge",
        mended_instance_type="ml.g5.xlarge",
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
        algorithm="Object2Vec",
        rule=1,
        name="num_classes",
        bad={"num_classes": 3, "output_layer": "mean_squared_error"},
        good={"num_classes": 3},
    ),
    Case(
        algorithm="Object2Vec",
        rule=1,
        outcome="warning",
        says="Labels of channel train",
        hyperparameters={},
        mended={"num_classes": 3},
        data=(pairs(classes(3)),),
        mended_data=(pairs(classes(3)),),
    ),
    Case(
        algorithm="Object2Vec",
        rule=1,
        outcome="warning",
        says="Labels of channel train",
        hyperparameters={},
        mended={"output_layer": "mean_squared_error"},
        data=(pairs(REAL),),
        mended_data=(pairs(REAL),),
    ),
    *(
        idle(
            algorithm="Object2Vec",
            rule=2,
            name=name,
            bad={name: value},
            good={**OWN_NETWORK, "enc1_pretrained_embedding_file": "v", name: value},
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
            algorithm="Object2Vec",
            rule=3,
            outcome="warning",
            says=f"{name} should be given when enc1_network is '{network}'",
            hyperparameters={key: value for key, value in own.items() if key != name},
            mended=own,
        )
        for name in ("enc1_max_seq_len", "enc1_vocab_size")
        for network in ("hcnn", "bilstm", "pooled_embedding")
        for own in ({**OWN_NETWORK, "enc1_network": network},)
    ),
    *(
        idle(
            algorithm="Object2Vec",
            rule=3,
            name=f"{encoder}_cnn_filter_width",
            bad={**own, f"{encoder}_cnn_filter_width": 2, f"{encoder}_network": network},
            good={**own, f"{encoder}_cnn_filter_width": 2},
        )
        for encoder, own in (("enc0", {}), ("enc1", OWN_NETWORK))
        for network in ("bilstm", "pooled_embedding")
    ),
    *(
        idle(
            algorithm="Object2Vec",
            rule=4,
            name=f"{encoder}_layers",
            bad={**own, f"{encoder}_layers": 2, f"{encoder}_network": "pooled_embedding"},
            good={**own, f"{encoder}_layers": 2, f"{encoder}_network": network},
        )
        for encoder, own in (("enc0", {}), ("enc1", OWN_NETWORK))
        for network in ("hcnn", "bilstm")
    ),
    Case(
        algorithm="Object2Vec",
        rule=6,
        outcome="warning",
        says="optimizer 'rmsprop' may be refused",
        hyperparameters={"token_embedding_storage_type": "row_sparse", "optimizer": "rmsprop"},
        mended={"token_embedding_storage_type": "row_sparse"},
    ),
    idle(
        algorithm="Object2Vec",
        rule=6,
        name="bucket_width",
        bad={"token_embedding_storage_type": "row_sparse", "bucket_width": 5},
        good={"bucket_width": 5},
    ),
    *(
        Case(
            algorithm="Object2Vec",
            rule=10,
            outcome="warning",
            says=f"and enc1_{setting} 49: make them equal",
            hyperparameters={
                **OWN_NETWORK,
                "tied_token_embedding_weight": True,
                f"enc0_{setting}": 50,
                f"enc1_{setting}": 49,
            },
            mended={
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
            algorithm="Object2Vec",
            rule=0,
            name=f"enc0_{name}",
            bad={f"enc0_{name}": value},
            good={f"enc0_{name}": value, "enc0_pretrained_embedding_file": "vectors.txt"},
        )
        for name, value in (("freeze_pretrained_embedding", False), ("vocab_file", "words.txt"))
    ),
    idle(
        algorithm="Object2Vec",
        rule=0,
        name="enc1_vocab_file",
        bad={**OWN_NETWORK, "enc1_vocab_file": "words.txt"},
        good={**OWN_NETWORK, "enc1_vocab_file": "words.txt", "enc1_pretrained_embedding_file": "vectors.txt"},
    ),
    Case(
        algorithm="Object2Vec",
        rule=0,
        outcome="error",
        says="enc0_pretrained_embedding_file is 'v', a file of channel auxiliary",
        hyperparameters={"enc0_pretrained_embedding_file": "v"},
        mended={"enc0_pretrained_embedding_file": "v"},
        data=(pairs(),),
        mended_data=(pairs(), files()),
    ),
    Case(
        algorithm="Object2Vec",
        rule=0,
        outcome="error",
        says="enc1_vocab_file is 'w', a file of channel auxiliary",
        hyperparameters={**OWN_NETWORK, "enc1_pretrained_embedding_file": "v", "enc1_vocab_file": "w"},
        mended=OWN_NETWORK,
        data=(pairs(),),
        mended_data=(pairs(),),
    ),
    Case(
        algorithm="Object2Vec",
        rule=0,
        outcome="error",
        says="enc0_pretrained_embedding_file is 'v', but channel auxiliary holds w",
        hyperparameters={"enc0_pretrained_embedding_file": "v"},
        mended={"enc0_pretrained_embedding_file": "v"},
        data=(pairs(), files("w")),
        mended_data=(pairs(), files("w", "v")),
    ),
    Case(
        algorithm="Object2Vec",
        rule=0,
        outcome="warning",
        says="in1 of channel train holds token id 100, but enc0_vocab_size is 100",
        hyperparameters={"enc0_vocab_size": 100},
        mended={"enc0_vocab_size": 101},
        data=(pairs(tokens=(Tokens(99, 1), Tokens(100, 1))),),
        mended_data=(pairs(tokens=(Tokens(99, 1), Tokens(100, 1))),),
    ),
    Case(
        algorithm="Object2Vec",
        rule=0,
        outcome="error",
        says="has no labels",
        hyperparameters={},
        mended={},
        data=(pairs(None),),
        mended_data=(pairs(),),
    ),
)

IP_INSIGHTS = (
    *(
        Case(
            algorithm="IPInsights",
            rule=1,
            outcome="error",
            says="Expecting: a sum of at least 1 and at most 500",
            hyperparameters={
                "random_negative_sampling_rate": bad[0],
                "shuffled_negative_sampling_rate": bad[1],
            },
            mended={"random_negative_sampling_rate": good[0], "shuffled_negative_sampling_rate": good[1]},
        )
        for bad, good in (((0, 0), (0, 1)), ((250, 251), (250, 250)), ((500, 1), (500, 0)))
    ),
    Case(
        algorithm="IPInsights",
        rule=1,
        outcome="error",
        says="add up to 501",
        hyperparameters={"random_negative_sampling_rate": 500},
        mended={"random_negative_sampling_rate": 499},
    ),
    Case(
        algorithm="IPInsights",
        rule=2,
        outcome="error",
        says="make a model of 9.0 GB",
        hyperparameters={"vector_dim": 9, "num_entity_vectors": 250_000_000},
        mended={"vector_dim": 8, "num_entity_vectors": 250_000_000},
    ),
    Case(
        algorithm="IPInsights",
        rule=2,
        outcome="error",
        says="a model of 8.0 GB",
        hyperparameters={"vector_dim": 2048, "num_entity_vectors": 976_563},
        mended={"vector_dim": 2048, "num_entity_vectors": 976_562},
    ),
    Case(
        algorithm="IPInsights",
        rule=0,
        outcome="warning",
        says="Channel train has labels",
        hyperparameters={},
        mended={},
        data=(logins(labels=ZERO_ONE),),
        mended_data=(logins(),),
    ),
    Case(
        algorithm="IPInsights",
        rule=0,
        outcome="warning",
        says="mini_batch_size is 1,001",
        hyperparameters={"mini_batch_size": 1001},
        mended={"mini_batch_size": 1000},
        data=(logins(),),
        mended_data=(logins(),),
    ),
)
