-- SQLite builds a temporary table for each row that it checks against an IN list of three or more values, and puts a
-- pattern together for each row. The same rules with OR and with a constant need neither. The stored rows stay as they
-- are, so only the text of the schema changes (SQLite, "ALTER TABLE", section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, 'movie_format IN (''VHS'', ''DVD'', ''Streaming'')',
                       'movie_format = ''VHS'' OR movie_format = ''DVD'' OR movie_format = ''Streaming''')
WHERE name = 'movie_rows';
-- The pattern *[a-bc-d]* in UTF-8, where a, b, c and d are U+0001, U+001F, U+007F and U+009F.
UPDATE sqlite_schema
SET sql = replace(replace(sql, '''*['' || char(1) || ''-'' || char(31)', 'CAST(x''2A5B012D1F7F2DC29F5D2A'' AS TEXT)'),
                  '|| char(127) || ''-'' || char(159) || '']*''', '')
WHERE name = 'movie_rows';
UPDATE sqlite_schema
SET sql = replace(sql, 'kind IN (''create'', ''update'', ''delete'', ''import'', ''batch'', ''undo'', ''restore'')',
                       'kind = ''create'' OR kind = ''update'' OR kind = ''delete'' OR kind = ''import'''
                       || ' OR kind = ''batch'' OR kind = ''undo'' OR kind = ''restore''')
WHERE name = 'changes';
-- A change of the schema's version, so that each connection reads the new text.
CREATE TABLE schema_changed (id INTEGER) STRICT;
DROP TABLE schema_changed;
PRAGMA writable_schema = RESET;
