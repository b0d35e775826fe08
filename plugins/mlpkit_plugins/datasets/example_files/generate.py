"""Writes the example files in this folder anew; see README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

HERE: Final = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    """Write all files into a folder."""
    flowers(folder / "flowers.csv")
    houses(folder / "houses.csv")
    loans(folder / "loans.csv")
    weather(folder / "weather.csv")


def flowers(path: Path) -> None:
    """Three species, by the sizes of their petals and the soil that they like; some sizes are missing."""
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
    """Prices of houses, in thousands, by area, rooms, age and district."""
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
    """Whether loans were paid back, by amount, income, years in the job, and purpose."""
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
    """Days with rain, wind and fog, any of them or none, by what the instruments say."""
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


def _write(path: Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
