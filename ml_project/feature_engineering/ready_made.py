"""The ready-made feature processes in one place.

======================  ============================================================  ========
process                 result                                                        learns
======================  ============================================================  ========
:class:`Sum`            sum of numbers
:class:`Product`        product of numbers
:class:`Difference`     one number less another
:class:`Ratio`          one number divided by another; missing for a division by zero
:class:`Log`            logarithm of one plus a number; missing for negative ones
:class:`MissingIndicator`  whether a column is missing
:class:`Binning`        interval of a number                                          quantiles
:class:`GroupStatistic` mean, median, std or count of a number in the row's group     yes
:class:`DatePart`       year, month, day of the week, hour, ... of a datetime
:class:`ElapsedDays`    days since a date or between two datetimes
:class:`TextLength`     number of characters
:class:`TextMatch`      whether a regular expression is found
:class:`Combination`    categories joined to one
======================  ============================================================  ========
"""

from ml_project.feature_engineering.arithmetic import Difference, Log, Product, Ratio, Sum
from ml_project.feature_engineering.dates import DatePart, ElapsedDays, date_parts
from ml_project.feature_engineering.fitted import Binning, GroupStatistic
from ml_project.feature_engineering.missingness import MissingIndicator
from ml_project.feature_engineering.texts import Combination, TextLength, TextMatch

__all__ = [
    "Binning",
    "Combination",
    "DatePart",
    "Difference",
    "ElapsedDays",
    "GroupStatistic",
    "Log",
    "MissingIndicator",
    "Product",
    "Ratio",
    "Sum",
    "TextLength",
    "TextMatch",
    "date_parts",
]
