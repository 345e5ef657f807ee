from .practice_under_test import bench  # noqa: F401 a fixture of the tests here
