"""How heavy a heavy child is: the 97th percentile of weight for age to 10 years.

"Else the 97th percentile of weight for age to 10 years (CDC 2000 charts, infant table under 2 years)" (rule-semantics,
Dose). Data: National Center for Health Statistics, CDC Growth Charts 2000, wtageinf.csv and wtage.csv (public domain);
each entry is that of the middle of a month of life, computed from L, M and S at 1.8808 standard deviations.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

LAST_MONTH = 119
# fmt: off
HEAVY = {  # kg, by completed months of age, twelve a line
    "male": (
        5.03, 6.12, 7.11, 7.99, 8.79, 9.51, 10.16, 10.74, 11.27, 11.75, 12.17, 12.56,
        12.92, 13.24, 13.53, 13.81, 14.06, 14.30, 14.52, 14.73, 14.93, 15.13, 15.32, 15.50,
        15.69, 15.87, 16.06, 16.24, 16.43, 16.62, 16.81, 17.00, 17.20, 17.41, 17.61, 17.83,
        18.05, 18.27, 18.50, 18.73, 18.96, 19.20, 19.45, 19.70, 19.95, 20.21, 20.47, 20.74,
        21.01, 21.28, 21.56, 21.83, 22.12, 22.40, 22.69, 22.98, 23.27, 23.56, 23.86, 24.16,
        24.46, 24.77, 25.07, 25.38, 25.69, 26.01, 26.32, 26.64, 26.96, 27.28, 27.61, 27.94,
        28.27, 28.61, 28.94, 29.29, 29.63, 29.98, 30.33, 30.69, 31.05, 31.41, 31.78, 32.15,
        32.53, 32.91, 33.29, 33.68, 34.08, 34.48, 34.88, 35.29, 35.71, 36.13, 36.55, 36.98,
        37.42, 37.86, 38.31, 38.76, 39.22, 39.68, 40.15, 40.62, 41.10, 41.58, 42.07, 42.57,
        43.07, 43.57, 44.08, 44.59, 45.11, 45.63, 46.16, 46.69, 47.23, 47.77, 48.32, 48.86,
    ),
    "female": (
        4.74, 5.66, 6.49, 7.26, 7.95, 8.59, 9.18, 9.72, 10.22, 10.67, 11.10, 11.49,
        11.86, 12.20, 12.52, 12.83, 13.12, 13.39, 13.66, 13.91, 14.16, 14.41, 14.65, 14.88,
        15.12, 15.35, 15.58, 15.82, 16.05, 16.28, 16.52, 16.76, 17.00, 17.25, 17.49, 17.74,
        18.00, 18.25, 18.51, 18.78, 19.04, 19.31, 19.59, 19.86, 20.14, 20.42, 20.71, 21.00,
        21.29, 21.58, 21.87, 22.17, 22.47, 22.77, 23.08, 23.38, 23.69, 24.00, 24.31, 24.63,
        24.94, 25.26, 25.58, 25.91, 26.23, 26.56, 26.89, 27.22, 27.55, 27.89, 28.23, 28.58,
        28.92, 29.27, 29.62, 29.98, 30.34, 30.70, 31.07, 31.44, 31.82, 32.20, 32.58, 32.97,
        33.37, 33.77, 34.17, 34.58, 35.00, 35.42, 35.85, 36.28, 36.72, 37.16, 37.61, 38.07,
        38.54, 39.00, 39.48, 39.96, 40.45, 40.95, 41.45, 41.95, 42.47, 42.99, 43.51, 44.04,
        44.58, 45.13, 45.67, 46.23, 46.79, 47.35, 47.92, 48.50, 49.07, 49.66, 50.24, 50.84,
    ),
}
# fmt: on


def months(born: date, on: date) -> int:
    """Completed months of life on a day."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def heavy(gender: str, born: date, on: date) -> Decimal | None:
    """The weight that three of a hundred children of that age exceed; None from 10 years on."""
    age = months(born, on)
    if age > LAST_MONTH or age < 0:
        return None
    of_both = [HEAVY[sex][age] for sex in ([gender] if gender in HEAVY else HEAVY)]
    return Decimal(str(max(of_both)))
