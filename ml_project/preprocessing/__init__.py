"""From engineered data to numbers: impute, scale, encode, remove outliers, select, reduce."""
