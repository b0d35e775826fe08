"""Writes the example files that ship with mlpkit again: ``python tools/example_files.py``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXAMPLES: Final = Path(__file__).parents[1] / "plugins/mlpkit_plugins/datasets/example_files"


def main(folder: Path = EXAMPLES) -> None:
    """Write all files into a folder."""
    flowers(folder / "flowers.csv")
    houses(folder / "houses.csv")
    loans(folder / "loans.csv")
    weather(folder / "weather.csv")
    machines(folder / "machines.parquet")
    x, t = shapes()
    np.save(folder / "shapes_x.npy", x)
    np.save(folder / "shapes_t.npy", t)
    _write_npz(folder / "shapes.npz", {"x": x, "t": t})
    _write_idx(folder / "shapes-images-idx3-ubyte", x)
    _write_idx(folder / "shapes-labels-idx1-ubyte", t)
    _write_images(folder / "shapes", x[:60], t[:60])


def flowers(path: Path) -> None:
    """Write three species, with the sizes of their petals and the soil that they like; some sizes are missing."""
    rng = np.random.default_rng(1)
    lines = ["petal_length,petal_width,stem_height,soil,species"]
    for _ in range(240):
        species = int(rng.integers(3))
        sizes = rng.normal([(14, 3, 90), (43, 13, 120), (55, 20, 100)][species], (3, 1.5, 15))
        soil = rng.choice(("sand", "clay", "peat"), p=((0.7, 0.2, 0.1), (0.2, 0.6, 0.2), (0.1, 0.2, 0.7))[species])
        written = [f"{size:.1f}" for size in sizes]
        if rng.uniform() < 0.03:
            written[2] = ""
        lines.append(",".join([*written, soil, ("bellflower", "foxglove", "hellebore")[species]]))
    _write(path, lines)


def houses(path: Path) -> None:
    """Write prices of houses, in thousands, by area, rooms, age and district."""
    rng = np.random.default_rng(2)
    lines = ["area,rooms,age,district,price"]
    for _ in range(300):
        area, age = rng.uniform(40, 220), int(rng.integers(0, 90))
        rooms = max(1, round(area / 30 + rng.normal(0, 0.7)))
        district = int(rng.integers(4))
        price = (60 + 2.1 * area + 9 * rooms - 0.6 * age + 0.006 * age**2) * (1.3, 1.0, 0.8, 1.1)[district]
        price += rng.normal(0, 12)
        lines.append(f"{area:.0f},{rooms},{age},{('harbour', 'hill', 'station', 'old town')[district]},{price:.1f}")
    _write(path, lines)


def loans(path: Path) -> None:
    """Write whether loans were paid back, by amount, income, years in the job, and purpose."""
    rng = np.random.default_rng(3)
    lines = ["amount,income,years_in_job,purpose,paid_back"]
    for _ in range(400):
        amount, income, years = rng.uniform(1, 40), rng.gamma(6, 7), rng.exponential(6)
        purpose = int(rng.integers(3))
        logit = 1.2 + 0.06 * income - 0.12 * amount + 0.12 * years + (0.4, 0.0, -0.7)[purpose]
        paid_back = "yes" if rng.uniform() < 1 / (1 + np.exp(-2 * logit)) else "no"
        words = ("car", "kitchen", '"travel, gifts"')[purpose]
        lines.append(f"{amount:.1f},{income:.1f},{years:.0f},{words},{paid_back}")
    _write(path, lines)


def weather(path: Path) -> None:
    """Write days with or without rain, wind and fog, by readings of instruments."""
    rng = np.random.default_rng(4)
    lines = ["day,pressure,humidity,temperature,rain,wind,fog"]
    for day in range(1, 366):
        pressure, temperature = rng.normal(1013, 9), 10 - 9 * np.cos(2 * np.pi * day / 365) + rng.normal(0, 3)
        humidity = float(np.clip(75 - 0.8 * (pressure - 1013) - 0.5 * (temperature - 10) + rng.normal(0, 9), 20, 100))
        rain = humidity - 0.5 * (pressure - 1013) + rng.normal(0, 6) > 84
        wind = abs(pressure - 1013) + rng.normal(0, 3) > 10
        fog = humidity > 80 and temperature < 8 and not wind
        lines.append(f"{day},{pressure:.1f},{humidity:.0f},{temperature:.1f},{rain:d},{wind:d},{fog:d}")
    _write(path, lines)


def machines(path: Path) -> None:
    """Write whether machines fail within a week, by measurements; some vibrations are missing."""
    import pyarrow as pa  # noqa: PLC0415 - only for this file
    import pyarrow.parquet as pq  # noqa: PLC0415 - only for this file

    rng = np.random.default_rng(6)
    count = 320
    hours, serviced = rng.integers(10, 9000, count), rng.uniform(size=count) < 0.4
    site = rng.integers(3, size=count)
    temperature = rng.normal(61, 7, count) + 0.0008 * hours
    vibration = rng.gamma(4, 0.6, count) + 0.0002 * hours * ~serviced
    logit = 0.12 * (temperature - 65) + 1.6 * (vibration - 3.2) + np.array((0.6, 0.0, -0.6))[site]
    fails = rng.uniform(size=count) < 1 / (1 + np.exp(-2 * logit))
    days = np.datetime64("2024-01-01T06:00", "ms") + np.arange(count) * np.timedelta64(1, "D")
    table = pa.table(
        {
            "measured_at": pa.array(days),
            "site": pa.array(np.array(("north", "quay", "tower"))[site].tolist()).dictionary_encode(),
            "hours": pa.array(hours, pa.int32()),
            "serviced": pa.array(serviced),
            "temperature": pa.array(temperature.round(1), pa.float32()),
            "vibration": pa.array(vibration.round(2), pa.float32(), mask=rng.uniform(size=count) < 0.03),
            "fails": pa.array(fails),
        }
    )
    pq.write_table(table, path, row_group_size=128)


def shapes() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw grey images of 8 by 8 pixels with a disc, a square or a cross, and return them with its number, 0 to 2."""
    rng = np.random.default_rng(5)
    down, across = np.mgrid[0:8, 0:8]
    images, numbers = np.empty((150, 8, 8), np.uint8), np.empty(150, np.uint8)
    for i in range(len(images)):
        number = int(rng.integers(3))
        y, x = np.abs(down - rng.uniform(2.5, 4.5)), np.abs(across - rng.uniform(2.5, 4.5))
        drawn = (np.hypot(y, x) < 2.6, np.maximum(y, x) < 2.1, (np.minimum(y, x) < 0.8) & (np.maximum(y, x) < 3))[
            number
        ]
        grey = 200 * drawn + rng.integers(0, 50, (8, 8))
        images[i], numbers[i] = grey, number
    return images, numbers


def _write_npz(path: Path, arrays: dict[str, NDArray[np.uint8]]) -> None:
    """Write the same as np.savez, except for the date of each member."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())


def _write_images(folder: Path, images: NDArray[np.uint8], numbers: NDArray[np.uint8]) -> None:
    """Write each image as a PNG file into the folder of its class."""
    from PIL import Image  # noqa: PLC0415 - only for these files

    for index, (image, number) in enumerate(zip(images, numbers, strict=True)):
        place = folder / ("disc", "square", "cross")[number]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{index:02}.png")


def _write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


def _write(path: Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
