"""Makes tests/fixtures/image/parquet: data sets as Hugging Face's `datasets` writes them. Needs numpy, Pillow and pyarrow.

colours.parquet      seven 4×4 PNGs of one colour in groups of three rows, with labels and the names of their classes
plain.parquet        the first two without paths and labels, not compressed
pair.parquet         two columns of images, none of which is called `image`
numbers.parquet      no column of images
zstd.parquet         colours, compressed with Zstandard
missing.parquet      a row without an image
"""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "tests/fixtures/image/parquet"
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(level):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), level, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def images(count, named=True):
    return pa.array([{"bytes": png(10 * i), "path": f"{i}.png" if named else None} for i in range(count)], IMAGE)


def write(name, columns, features=None, **options):
    table = pa.table(columns)
    if features is not None:
        kept = {"info": {"features": features}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(kept)})
    pq.write_table(table, FOLDER / name, **options)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    labels = pa.array([0, 1, 1, 0, 1, 0, 1], pa.int64())
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    }
    colours = {"image": images(7), "label": labels}
    write("colours.parquet", colours, features, row_group_size=3)
    write("plain.parquet", {"img": images(2, named=False)}, compression="none")
    write("pair.parquet", {"before": images(2), "after": images(2)})
    write("numbers.parquet", {"label": labels, "score": pa.array(np.arange(7.0))})
    write("zstd.parquet", colours, features, compression="zstd")
    write("brotli.parquet", colours, features, compression="brotli")
    for name in ["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"]:
        largest = np.iinfo(name).max
        write(f"labels_{name}.parquet", {"image": images(4), "label": pa.array([0, 1, 1, largest], getattr(pa, name)())}, features)
    strings = pa.array(["cat", "dog", "dog", "bird"])
    write("labels_string.parquet", {"image": images(4), "label": strings})
    write("labels_dictionary.parquet", {"image": images(4), "label": strings.dictionary_encode()})
    write("labels_missing.parquet", {"image": images(4), "label": pa.array([0, 1, None, 1], pa.int32())})
    write("labels_float.parquet", {"image": images(4), "label": pa.array([0.0, 1.0, 1.0, 0.5])})
    write("labels_list.parquet", {"image": images(4), "label": pa.array([[0], [1, 2], [1], []])})
    indices = pa.array(np.zeros(400_000, np.int32))
    copies = pa.DictionaryArray.from_arrays(indices, pa.array([png(0)], pa.binary()))
    write("copies.parquet", {"image": pa.StructArray.from_arrays([copies], ["bytes"])})
    write("missing.parquet", {"image": pa.array([{"bytes": png(0), "path": "0.png"}, None], IMAGE)})


if __name__ == "__main__":
    main()
