"""The links to each hospital's own records: patient ids and record numbers, by site."""
