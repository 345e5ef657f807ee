from .houses import bench  # noqa: F401 a fixture of the tests here
