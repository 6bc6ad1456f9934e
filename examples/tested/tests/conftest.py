pytest_plugins = ["amazon_estimators_rehearsal.pytest_plugin"]
