-- Anchors say whose words a place holds, and when they were said (views/read_v1.sql): no table changes.
SELECT;
