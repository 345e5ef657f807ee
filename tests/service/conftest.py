from .houses import bench, worker_pool  # noqa: F401 fixtures of the tests here
