"""Leave files that no function opens out of the artifacts; the tests run every workload's job with the rest."""

import fnmatch
import gzip
import json
import shutil
from collections.abc import Collection
from pathlib import Path

from infra.artifacts import elf

EVERYWHERE = (
    # build records, and files for building against the library
    "bin/*", "share/*", "include/*", "*/include/*", "*/src/*",
    "*.h", "*.hpp", "*.c", "*.cc", "*.cpp", "*.cmake", "*.a", "*.tp", "*.jinja", "*.in", "*.build", "*.f2cmap",
    "*.pyx", "*.pxd", "*.pxi", "*.pyi", "*/py.typed", "*-stubs/*", "*/pyproject.toml", "*/_pyinstaller/*",
    # tests
    "*/tests/*", "*/test/*", "*/conftest.py", "*/_test*.cpython*.so",
    # importlib.metadata reads only METADATA, and the licences must accompany the files
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/WHEEL",
    "*.dist-info/top_level.txt", "*.dist-info/entry_points.txt", "*.dist-info/sboms/*", "*.dist-info/zip-safe",
)  # fmt: skip
"""Patterns of paths in an artifact, as fnmatch reads them: `*` also matches a slash."""

BY_LIBRARY: dict[str, tuple[str, ...]] = {
    # We use only its logger, metrics and tracer; half of it is the router, which contains a documentation site.
    "aws-lambda-powertools": (
        "aws_lambda_powertools/event_handler/*",
        "aws_lambda_powertools/utilities/parser/*",
        "aws_lambda_powertools/utilities/data_classes/*",
        "aws_lambda_powertools/utilities/data_masking/*",
        "aws_lambda_powertools/utilities/kafka/*",
        "aws_lambda_powertools/utilities/feature_flags/*",
        "aws_lambda_powertools/utilities/idempotency/*",
        "aws_lambda_powertools/utilities/parameters/*",
        "aws_lambda_powertools/utilities/streaming/*",
        "aws_lambda_powertools/utilities/batch/*",
        "aws_lambda_powertools/utilities/validation/*",
    ),
    # Web frameworks, and drivers that we do not use.
    "aws-xray-sdk": ("aws_xray_sdk/ext/*",),
    "boto3": ("boto3/examples/*", "boto3/data/*"),
    "psycopg": ("psycopg/crdb/*",),
    "segno": ("segno/cli.py",),
    # CPU features for numpy's own tests; the C tests; compilers of extensions; documentation (`rewriting` removes
    # the imports).
    "numpy": (
        "numpy/_core/_simd.*",
        "numpy/_core/*_tests.*",
        "numpy/_core/include/*",
        "numpy/_core/lib/*",
        "numpy/typing/mypy_plugin.py",
        "numpy/_typing/*",
        "numpy/random/lib/*",
        "numpy/random/_examples/*",
        "numpy/f2py/*",
        "numpy/_core/_add_newdocs*",
    ),
    # Formats other than CSV and Parquet, services other than S3 through boto3, and the engines for whole datasets.
    # libarrow_python has three copies under different names; everything links with one.
    "pyarrow": (
        "pyarrow/libarrow_flight.*", "pyarrow/libarrow_python_flight.*", "pyarrow/_flight.*", "pyarrow/flight.py",
        "pyarrow/libarrow_substrait.*", "pyarrow/_substrait.*", "pyarrow/substrait.py",
        "pyarrow/libarrow_dataset.*", "pyarrow/_dataset.*", "pyarrow/_dataset_parquet.*", "pyarrow/dataset.py",
        "pyarrow/libarrow_acero.*", "pyarrow/_acero.*", "pyarrow/acero.py", "pyarrow/_feather.*", "pyarrow/feather.py",
        "pyarrow/libarrow_s3.*", "pyarrow/_s3fs.*", "pyarrow/_gcsfs.*", "pyarrow/_azurefs.*", "pyarrow/_hdfs.*",
        "pyarrow/libarrow_python_parquet_encryption.*", "pyarrow/_parquet_encryption.*",
        "pyarrow/_dataset_parquet_encryption.*", "pyarrow/parquet/encryption.py",
        "pyarrow/_orc.*", "pyarrow/_dataset_orc.*", "pyarrow/orc.py", "pyarrow/_pyarrow_cpp_tests.*",
        "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*", "pyarrow/includes/*", "pyarrow/cuda.py",
        "pyarrow/jvm.py", "pyarrow/interchange/*", "pyarrow/benchmark.py",
        "pyarrow/_compute_docstrings.py", "pyarrow/vendored/docscrape.py",
    ),
    "scipy": (
        "scipy/datasets/*", "scipy/differentiate/*", "scipy/fftpack/*", "scipy/io/*", "scipy/misc/*", "scipy/odr/*",
        "scipy/signal/*", "scipy/cluster/*",
        "scipy/stats/_unuran/*", "scipy/stats/sampling.py", "scipy/stats/_sampling.py",
        "scipy/stats/_sobol_direction_numbers.npz", "scipy/_lib/cobyqa/*", "scipy/optimize/cython_optimize/*",
        "scipy/_lib/array_api_compat/cupy/*", "scipy/_lib/array_api_compat/dask/*",
        "scipy/_lib/array_api_compat/torch/*",
        "scipy/_lib/pyprima/*", "scipy/special/_add_newdocs.py", "scipy/special/_precompute/*",
        "scipy/ndimage/_cytest.*",
        # The Fortran runtime of FITPACK, which is a stub below; OpenBLAS has its own, with two digests in the name.
        "scipy.libs/libgfortran-????????.so.*", "scipy.libs/libquadmath-????????.so.*",
    ),
    # Only the kinds of table that this package has, of all that scikit-learn accepts.
    "narwhals": (
        "narwhals/_dask/*", "narwhals/_duckdb/*", "narwhals/_ibis/*", "narwhals/_polars/*", "narwhals/_spark_like/*",
        "narwhals/_sql/*", "narwhals/testing/*",
    ),
    "scikit-learn": (
        "sklearn/datasets/*", "sklearn/_build_utils/*", "sklearn/utils/estimator_checks.py",
        "sklearn/externals/array_api_compat/cupy/*", "sklearn/externals/array_api_compat/dask/*",
        "sklearn/externals/array_api_compat/torch/*",
    ),
    "packaging": ("packaging/licenses/*",),
    "pandas": (
        "pandas/plotting/_matplotlib/*", "pandas/_libs/sas.*", "pandas/_libs/byteswap.*", "pandas/io/sas/sas7bdat.py",
        "pandas/io/sas/sas_xport.py", "pandas/io/formats/style*.py", "pandas/io/formats/templates/*",
    ),
    "skops": ("skops/card/*", "skops/cli/*"),
}  # fmt: skip

ABSENT = """
class _Absent:
    def __init__(self, name):
        self._name = name

    def _refuse(self, *_, **__):
        raise ImportError(f"{self._name} is left out of this package: it serves fitting, and functions only predict")

    __call__ = _refuse

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent(f"{__name__}.{name}")
"""
STUBS = {
    "scipy": (
        "scipy/integrate/_dop", "scipy/integrate/_odepack", "scipy/integrate/_vode",
        "scipy/interpolate/_dfitpack", "scipy/interpolate/_fitpack", "scipy/interpolate/_rbfinterp_pythran",
        "scipy/linalg/_decomp_interpolative",
        "scipy/optimize/_bglu_dense", "scipy/optimize/_highspy/_core", "scipy/optimize/_highspy/_highs_options",
        "scipy/optimize/_lbfgsb", "scipy/optimize/_moduleTNC", "scipy/optimize/_pava_pybind",
        "scipy/optimize/_slsqplib", "scipy/optimize/_trlib/_trlib",
        "scipy/sparse/linalg/_dsolve/_add_newdocs", "scipy/sparse/linalg/_dsolve/_superlu",
        "scipy/sparse/linalg/_eigen/arpack/_arpacklib",
        "scipy/sparse/linalg/_propack",
        "scipy/spatial/transform/_rigid_transform_cy", "scipy/spatial/transform/_rotation_cy",
        "scipy/stats/_ansari_swilk_statistics", "scipy/stats/_biasedurn", "scipy/stats/_rcont/rcont",
        "scipy/stats/_sobol",
    )
}  # fmt: skip
"""Compiled modules that others import but only fitting calls: solvers. A stub replaces each and raises an error when
called."""

UNUSED_LIBRARIES = ("prettytable", "wcwidth")
"""Dependencies for features that no function uses, such as skops's model cards."""

AWS_SERVICES = (
    "apigatewaymanagementapi", "athena", "bedrock-agent-runtime", "bedrock-runtime", "cloudwatch", "dynamodb", "events",
    "kms", "lambda", "redshift-data", "s3", "sagemaker-runtime", "secretsmanager", "sns", "sqs", "stepfunctions", "sts",
)  # fmt: skip
"""The services that the functions call; a test compares them with the code's clients."""


def prune(tree: Path, libraries: Collection[str], beneath: Collection[Path] = ()) -> None:
    """Remove from `tree` the files that match these libraries' patterns, and the unmapped bytes of shared objects.

    `beneath` are the pruned trees of the artifacts that always lie beneath this one.
    """
    patterns = [*EVERYWHERE, *(pattern for name in libraries for pattern in BY_LIBRARY.get(name, ()))]
    removed = set()
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if not path.is_dir() and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            path.unlink()
            removed.add(path.name)
    for stub in (stub for name in libraries for stub in STUBS.get(name, ())):
        (compiled,) = tree.glob(f"{stub}.*")
        compiled.unlink()
        (tree / f"{stub}.py").write_text(ABSENT, encoding="utf-8")
    if "botocore" in libraries:
        prune_services(tree / "botocore" / "data")
    lighten_objects(tree, frozenset(removed) - {path.name for path in tree.rglob("*")}, beneath)
    for folder in sorted((path for path in tree.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def lighten_objects(tree: Path, removed: frozenset[str], beneath: Collection[Path]) -> None:
    """Reduce each shared object to the bytes that the loader maps, without dependencies on `removed` libraries.

    A library with the same name in an artifact beneath is left out: the loader uses the one that is already loaded.
    """
    below = {path.name: path for other in beneath for path in other.glob("*.libs/*")}
    for path in sorted(path for path in tree.rglob("*.so*") if path.is_file()):
        content = path.read_bytes()
        if not elf.is_object(content):
            continue
        lighter = elf.stripped(elf.unlinked(content, removed))
        if path.name in below and below[path.name].read_bytes() == lighter:
            path.unlink()
        else:
            path.write_bytes(lighter)


def prune_services(data: Path) -> None:
    """Reduce botocore's descriptions to the parts of our services' that a client reads.

    Documentation is removed, and the rest is not compressed twice: creating a client is mostly reading these files.
    """
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in AWS_SERVICES:
            shutil.rmtree(folder)
    prefixes = set()
    for service in AWS_SERVICES:
        *older, newest = sorted(path for path in (data / service).iterdir() if path.is_dir())
        for folder in older:
            shutil.rmtree(folder)
        for path in sorted(newest.iterdir()):
            if path.name.startswith(("examples-", "waiters-")):
                path.unlink()
            elif path.name.endswith(".json.gz"):
                described = json.loads(gzip.decompress(path.read_bytes()))
                path.unlink()
                lean = {part: _undocumented(described[part]) for part in ("operations", "shapes") if part in described}
                _write_json(path.with_suffix(""), described | lean)
                prefixes.add(described.get("metadata", {}).get("endpointPrefix"))
    endpoints = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    _write_json(data / "endpoints.json", endpoints)


def _write_json(path: Path, described: object) -> None:
    path.write_text(json.dumps(described, separators=(",", ":")), encoding="utf-8")


def _undocumented(described: object) -> object:
    if isinstance(described, dict):
        return {
            key: _undocumented(value)
            for key, value in described.items()
            if not (key == "documentation" and isinstance(value, str))  # this may also be a field's name
        }
    if isinstance(described, list):
        return [_undocumented(value) for value in described]
    return described
