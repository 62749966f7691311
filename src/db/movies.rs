//! All SQL about movies and the words of their titles.

use super::{
    Conn, DbError, Driver, Row,
    builder::Builder,
    changes::number,
    words::{self, Stretch, of_words},
};
use crate::domain::{
    Attributes, Cursor, Filter, KeyValue, Kind, Movie, MovieFormat, Sort, SortKey, Time, Title, sort_key,
    title_words,
};

pub(super) const COLUMNS: &str =
    "id, title, movie_format, length, release_year, rating, version, created_at, updated_at";

/// Rows in one statement: few enough for the parameters that both databases allow.
const ROWS_AT_ONCE: usize = 500;

/// In how many places a word may stand for the titles with it to be looked up before any other way is tried.
const MANY: usize = 5000;
/// How many movies at least are read at once when they are looked through, in their order, for words that stand in
/// many titles; and how often at most.
const PIECE: usize = 250;
const PIECES: usize = 8;

pub(super) fn read(row: &Row<'_>) -> Result<Movie, DbError> {
    Ok(Movie {
        id: row.get(0)?,
        attributes: Attributes {
            title: row.parse(1, Title::parse)?,
            movie_format: row.parse(2, MovieFormat::parse)?,
            length: row.number(3)?,
            release_year: row.number(4)?,
            rating: row.number(5)?,
        },
        version: row.get(6)?,
        created_at: Time::from_millis(row.get(7)?),
        updated_at: Time::from_millis(row.get(8)?),
    })
}

/// Hands out ids that no movie ever had. Those of a transaction that is rolled back may be handed out
/// again.
///
/// # Errors
/// Those of the database.
pub async fn reserve_ids(conn: &mut Conn, count: usize) -> Result<Vec<i64>, DbError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    // SQLite has no sequences. With its one writer, a counter in a row holds nobody up.
    let sql = match conn.driver() {
        Driver::Sqlite(_) => "UPDATE movie_ids SET next = next + $1 RETURNING next - $1",
        Driver::Postgres(_) => "SELECT nextval('movie_ids') FROM generate_series(CAST(1 AS BIGINT), $1)",
    };
    let ids = conn.query(sql, &[count.into()], |row| row.get::<i64>(0)).await?;
    Ok(match conn.driver() {
        Driver::Sqlite(_) => ids.into_iter().flat_map(|first| first..first + count).collect(),
        Driver::Postgres(_) => ids,
    })
}

/// Stores movies that are not there, under the ids they bear.
///
/// # Errors
/// Those of the database; [`DbError::Duplicate`] for an id that is in use.
pub async fn insert(conn: &mut Conn, change: i64, movies: &[Movie]) -> Result<(), DbError> {
    let made: Vec<_> = movies.iter().map(|movie| (change, movie)).collect();
    insert_made(conn, &made).await
}

/// Stores movies that are not there, under the ids they bear, each with the change that made it.
///
/// # Errors
/// Those of [`insert`].
pub async fn insert_made(conn: &mut Conn, movies: &[(i64, &Movie)]) -> Result<(), DbError> {
    let rows = movies.iter().map(|(change, movie)| {
        let a = &movie.attributes;
        [
            movie.id.into(),
            a.title.as_str().into(),
            sort_key(a.title.as_str()).into(),
            a.movie_format.as_str().into(),
            a.length.get().into(),
            a.release_year.get().into(),
            a.rating.get().into(),
            movie.version.into(),
            movie.created_at.as_millis().into(),
            movie.updated_at.as_millis().into(),
            (*change).into(),
        ]
    });
    let into = "movie_rows (id, title, title_sort, movie_format, length, release_year, rating, version, \
                created_at, updated_at, change_id)";
    conn.insert(into, &rows.collect::<Vec<_>>()).await?;
    insert_words(conn, movies.iter().map(|(_, movie)| (movie.id, &movie.attributes.title))).await
}

async fn insert_words<'a>(
    conn: &mut Conn,
    titles: impl Iterator<Item = (i64, &'a Title)>,
) -> Result<(), DbError> {
    let words = titles.flat_map(|(id, title)| title_words(title.as_str()).into_iter().map(move |w| (w, id)));
    let mut words: Vec<(String, i64)> = words.collect();
    words.sort_unstable(); // neighbours in the index
    let rows: Vec<_> = words.iter().map(|(word, id)| [word.as_str().into(), (*id).into()]).collect();
    conn.insert("movie_words (word, movie_id)", &rows).await
}

/// Gives movies, each as it is and as it is to be, other attributes, and returns how many of them were
/// there. Their versions rise by one, but not again where the same change touches them again.
///
/// # Errors
/// Those of the database.
pub async fn update(conn: &mut Conn, change: i64, movies: &[(Movie, Movie)]) -> Result<u64, DbError> {
    let mut found = 0;
    for movies in movies.chunks(ROWS_AT_ONCE) {
        let ids: Vec<i64> = movies.iter().map(|(_, movie)| movie.id).collect();
        archive(conn, change, &ids).await?;
        let mut sql = Builder::new("UPDATE movie_rows SET version = CASE WHEN change_id = ");
        sql.param(change.into());
        sql.push(" THEN version ELSE version + 1 END, change_id = ");
        sql.param(change.into());
        sql.push(
            ", title = new.column2, title_sort = new.column3, movie_format = new.column4, \
             length = new.column5, release_year = new.column6, rating = new.column7, \
             updated_at = new.column8 FROM (VALUES ",
        );
        for (n, (_, movie)) in movies.iter().enumerate() {
            let a = &movie.attributes;
            sql.push(if n == 0 { "(" } else { ", (" });
            sql.list([
                movie.id.into(),
                a.title.as_str().into(),
                sort_key(a.title.as_str()).into(),
                a.movie_format.as_str().into(),
                a.length.get().into(),
                a.release_year.get().into(),
                a.rating.get().into(),
                movie.updated_at.as_millis().into(),
            ]);
            sql.push(")");
        }
        sql.push(") AS new WHERE id = new.column1");
        found += sql.execute(conn).await?;

        let retitled = movies.iter().filter(|(old, new)| old.attributes.title != new.attributes.title);
        let retitled: Vec<&Movie> = retitled.map(|(_, new)| new).collect();
        if !retitled.is_empty() {
            let mut sql = Builder::new("DELETE FROM movie_words WHERE movie_id IN (");
            sql.list(retitled.iter().map(|movie| movie.id.into()));
            sql.push(")");
            sql.execute(conn).await?;
            insert_words(conn, retitled.iter().map(|movie| (movie.id, &movie.attributes.title))).await?;
        }
    }
    Ok(found)
}

/// Deletes movies.
///
/// # Errors
/// Those of the database.
pub async fn delete(conn: &mut Conn, change: i64, ids: &[i64], at: Time) -> Result<(), DbError> {
    for ids in ids.chunks(ROWS_AT_ONCE) {
        archive(conn, change, ids).await?;
        let mut sql = Builder::new(
            "INSERT INTO movie_versions (movie_id, version, change_id, created_at, updated_at) \
             SELECT id, CASE WHEN change_id = ",
        );
        sql.param(change.into());
        sql.push(" THEN version ELSE version + 1 END, ");
        sql.param(change.into());
        sql.push(", created_at, ");
        sql.param(at.as_millis().into());
        // What came and went in one change was never there.
        sql.push(" FROM movies WHERE NOT (version = 1 AND change_id = ");
        sql.param(change.into());
        sql.push(") AND id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        sql.execute(conn).await?;
        let mut sql = Builder::new("DELETE FROM movie_rows WHERE id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        sql.execute(conn).await?;
    }
    Ok(())
}

/// Keeps what movies are before a change makes something else of them.
async fn archive(conn: &mut Conn, change: i64, ids: &[i64]) -> Result<(), DbError> {
    let mut sql = Builder::new(
        "INSERT INTO movie_versions (movie_id, version, change_id, title, movie_format, length, \
         release_year, rating, created_at, updated_at) SELECT id, version, change_id, title, movie_format, \
         length, release_year, rating, created_at, updated_at FROM movies WHERE change_id <> ",
    );
    sql.param(change.into());
    sql.push(" AND id IN (");
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    sql.execute(conn).await?;
    Ok(())
}

/// One movie.
///
/// # Errors
/// Those of the database.
pub async fn get(conn: &mut Conn, id: i64) -> Result<Option<Movie>, DbError> {
    const SQL: &str = "SELECT id, title, movie_format, length, release_year, rating, version, created_at, \
                       updated_at FROM movies WHERE id = $1";
    conn.query_opt(SQL, &[id.into()], read).await
}

/// Those of the movies with these ids that are there, by id; nobody else changes them until the
/// transaction ends. On SQLite there is one writer anyway.
///
/// # Errors
/// Those of the database.
pub async fn lock(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies WHERE id IN ("));
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(") ORDER BY id");
        if let Driver::Postgres(_) = conn.driver() {
            sql.push(" FOR UPDATE");
        }
        movies.extend(sql.query(conn, read).await?);
    }
    Ok(movies)
}

/// Sees to it that nobody else changes the movies that a change touched.
///
/// # Errors
/// Those of the database.
pub async fn lock_touched_by(conn: &mut Conn, change: i64) -> Result<(), DbError> {
    if let Driver::Postgres(_) = conn.driver() {
        let sql = "SELECT count(*) FROM (SELECT id FROM movies WHERE id IN (SELECT id FROM movies \
                   WHERE change_id = $1 UNION ALL SELECT movie_id FROM movie_versions WHERE change_id = $1) \
                   ORDER BY id FOR UPDATE) AS touched";
        conn.query(sql, &[change.into()], |_| Ok(())).await?;
    }
    Ok(())
}

/// The movies whose titles have one of these sort keys, by id, with those that a change made which
/// nobody else sees yet.
///
/// # Errors
/// Those of the database.
pub async fn with_sort_keys(conn: &mut Conn, change: i64, keys: &[String]) -> Result<Vec<Movie>, DbError> {
    let mut found = Vec::new();
    for keys in keys.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movie_rows WHERE title_sort IN ("));
        sql.list(keys.iter().map(|key| key.as_str().into()));
        sql.push(")");
        if let Driver::Sqlite(_) = conn.driver() {
            sql.push(" AND (change_id NOT IN (SELECT change_id FROM imports_under_way) OR change_id = ");
            sql.param(change.into());
            sql.push(")");
        }
        sql.push(" ORDER BY id");
        found.extend(sql.query(conn, read).await?);
    }
    Ok(found)
}

/// The movies that pass the filter, in the order of the sort, from the cursor on, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    sort: &Sort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Vec<Movie>, DbError> {
    let filter = &rarest_first(conn, filter).await?;
    let Some(rarest) = filter.words.first() else {
        return in_order(conn, filter, sort, after, limit).await;
    };
    let places = places(conn, rarest).await?;
    if places == 0 {
        return Ok(Vec::new());
    }
    if places == MANY
        && let Some(found) = look_through(conn, filter, sort, after, limit).await?
    {
        return Ok(found);
    }
    in_order(conn, filter, sort, after, limit).await
}

/// The filter with the rarest word of its search first.
async fn rarest_first(conn: &mut Conn, filter: &Filter) -> Result<Filter, DbError> {
    let mut filter = filter.clone();
    if filter.words.len() > 1 {
        let mut words = Vec::with_capacity(filter.words.len());
        for word in filter.words {
            words.push((places(conn, &word).await?, word));
        }
        words.sort_unstable();
        filter.words = words.into_iter().map(|(_, word)| word).collect();
    }
    Ok(filter)
}

/// In how many places words that begin so stand in titles, counted up to [`MANY`].
async fn places(conn: &mut Conn, beginning: &str) -> Result<usize, DbError> {
    words::count(conn, &[Stretch::beginning_with(beginning)], MANY).await
}

/// What [`list`] gives, from a look at the first movies in their order; none where these are too few to find so
/// many among them.
async fn look_through(
    conn: &mut Conn,
    filter: &Filter,
    sort: &Sort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Option<Vec<Movie>>, DbError> {
    let size = limit.max(PIECE);
    let mut found = Vec::new();
    let mut after = after.cloned();
    for _ in 0..PIECES {
        let piece = in_order(conn, &Filter::default(), sort, after.as_ref(), size).await?;
        let is_last = piece.len() < size;
        after = piece.last().map(|movie| Cursor::after(movie, sort));
        found.extend(piece.into_iter().filter(|movie| filter.finds(movie)));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(Some(found));
        }
        if found.is_empty() {
            break; // they stand together, elsewhere
        }
    }
    Ok(None)
}

/// What [`list`] gives, by one query for each stretch.
async fn in_order(
    conn: &mut Conn,
    filter: &Filter,
    sort: &Sort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for stretch in stretches(sort, after) {
        let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies"));
        sql.filter_words_first(filter, &conn.driver());
        for (key, comparison, value) in &stretch {
            let value = match value {
                KeyValue::Number(number) => (*number).into(),
                KeyValue::Text(text) => text.clone().into(),
            };
            sql.condition();
            sql.push(&format!("{} {comparison} ", column(*key)));
            sql.param(value);
        }
        let fixed = |key| stretch.iter().any(|(k, comparison, _)| *k == key && *comparison == "=");
        let mut separator = " ORDER BY ";
        for (key, descending) in sort.keys().iter().filter(|(key, _)| !fixed(*key)) {
            sql.push(separator);
            sql.push(column(*key));
            sql.push(if *descending { " DESC" } else { "" });
            separator = ", ";
        }
        sql.push(" LIMIT ");
        sql.param(i64::try_from(limit - movies.len()).unwrap_or(i64::MAX).into());
        movies.extend(sql.query(conn, read).await?);
        if movies.len() >= limit {
            break;
        }
    }
    Ok(movies)
}

type Condition = (SortKey, &'static str, KeyValue);

/// Cuts what comes after the cursor into stretches, each of which an index can walk from its start:
/// for keys (a, b, id) first the same a and b with a later id, then the same a with a later b, then a
/// later a. A first key with only a few values is cut into one stretch for each, because a
/// descending key with ascending ids would otherwise have to sort all movies of one value.
fn stretches(sort: &Sort, after: Option<&Cursor>) -> Vec<Vec<Condition>> {
    let keys = sort.keys();
    let beyond = |n: usize, value: Option<&KeyValue>| -> Vec<Option<Condition>> {
        let (key, descending) = keys[n];
        let few = if n == 0 { key.few_values() } else { None };
        match (few, value) {
            (Some(mut values), value) => {
                if descending {
                    values.reverse();
                }
                let passed = value.map_or(0, |value| values.iter().take_while(|v| *v != value).count() + 1);
                values.into_iter().skip(passed).map(|value| Some((key, "=", value))).collect()
            }
            (None, Some(value)) => vec![Some((key, if descending { "<" } else { ">" }, value.clone()))],
            (None, None) => vec![None],
        }
    };
    let Some(cursor) = after else {
        return beyond(0, None).into_iter().map(|first| first.into_iter().collect()).collect();
    };
    let mut stretches = Vec::new();
    for n in (0..keys.len()).rev() {
        let same: Vec<Condition> = keys[..n]
            .iter()
            .zip(cursor.values())
            .map(|((key, _), value)| (*key, "=", value.clone()))
            .collect();
        for last in beyond(n, Some(&cursor.values()[n])) {
            stretches.push(same.iter().cloned().chain(last).collect());
        }
    }
    stretches
}

const fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Id => "id",
        SortKey::Title => "title_sort",
        SortKey::MovieFormat => "movie_format",
        SortKey::Length => "length",
        SortKey::ReleaseYear => "release_year",
        SortKey::Rating => "rating",
        SortKey::CreatedAt => "created_at",
        SortKey::UpdatedAt => "updated_at",
    }
}

/// How many movies pass the filter.
///
/// # Errors
/// Those of the database.
pub async fn count(conn: &mut Conn, filter: &Filter) -> Result<i64, DbError> {
    let filter = rarest_first(conn, filter).await?;
    let mut sql = match conn.driver() {
        // SQLite counts a whole table without a look at each of its rows.
        Driver::Sqlite(_) if filter.is_empty() => Builder::new(
            "SELECT (SELECT count(*) FROM movie_rows) - (SELECT count(*) FROM movie_rows WHERE change_id IN \
             (SELECT change_id FROM imports_under_way))",
        ),
        _ => Builder::new("SELECT count(*) FROM movies"),
    };
    sql.filter(&filter, &conn.driver());
    let counts = sql.query(conn, |row| row.get(0)).await?;
    Ok(counts.into_iter().next().unwrap_or(0))
}

/// The least and the greatest id in use, also by movies that nobody sees yet.
///
/// # Errors
/// Those of the database.
pub async fn id_range(conn: &mut Conn) -> Result<Option<(i64, i64)>, DbError> {
    let sql = "SELECT (SELECT min(id) FROM movie_rows), (SELECT max(id) FROM movie_rows)";
    let range = conn.query_opt(sql, &[], |row| Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?)));
    Ok(range.await?.and_then(|(least, greatest)| least.zip(greatest)))
}

/// The ids of the movies that pass the filter, in ascending order.
///
/// # Errors
/// Those of the database.
pub async fn ids(conn: &mut Conn, filter: &Filter) -> Result<Vec<i64>, DbError> {
    let filter = rarest_first(conn, filter).await?;
    let mut sql = Builder::new("SELECT id FROM movies");
    sql.filter(&filter, &conn.driver());
    sql.push(" ORDER BY id");
    sql.query(conn, |row| row.get(0)).await
}

/// The movies that pass the filter and have words in their titles of each of these sets of stretches, the rarest
/// first, in the order of their titles, at most so many. No set may be empty.
///
/// # Errors
/// Those of the database.
pub async fn with_words(
    conn: &mut Conn,
    filter: &Filter,
    words: &[Vec<Stretch>],
    limit: usize,
) -> Result<Vec<Movie>, DbError> {
    let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies"));
    // The places of each set are held against those of the rarer ones, before the movies are looked at.
    sql.condition();
    let mut within = "id IN (";
    for words in words.iter().rev() {
        sql.push(within);
        sql.push("SELECT movie_id FROM (");
        of_words(&mut sql, &conn.driver(), words);
        sql.push(") AS found");
        within = " WHERE +movie_id IN (";
    }
    sql.push(&")".repeat(words.len()));
    sql.filter(filter, &conn.driver());
    sql.push(" ORDER BY title_sort, id LIMIT ");
    sql.param(number(limit).into());
    sql.query(conn, read).await
}

/// Those of the movies with these ids that pass the filter, in no order.
///
/// # Errors
/// Those of the database.
pub async fn with_ids(conn: &mut Conn, filter: &Filter, ids: &[i64]) -> Result<Vec<Movie>, DbError> {
    let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies"));
    sql.filter(filter, &conn.driver());
    sql.condition();
    sql.push("id IN (");
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    sql.query(conn, read).await
}

/// The movie at a place, from 0, among those that pass the filter, by id.
///
/// # Errors
/// Those of the database.
pub async fn nth(conn: &mut Conn, filter: &Filter, place: i64) -> Result<Option<Movie>, DbError> {
    let filter = rarest_first(conn, filter).await?;
    let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies"));
    sql.filter(&filter, &conn.driver());
    sql.push(" ORDER BY id LIMIT 1 OFFSET ");
    sql.param(place.into());
    Ok(sql.query(conn, read).await?.into_iter().next())
}

/// How many movies of each kind there are among those that pass the filter.
///
/// # Errors
/// Those of the database.
pub async fn kinds(conn: &mut Conn, filter: &Filter) -> Result<Vec<(Kind, i64)>, DbError> {
    let filter = rarest_first(conn, filter).await?;
    let mut sql = Builder::new("SELECT movie_format, length, release_year, rating, count(*) FROM movies");
    sql.filter(&filter, &conn.driver());
    sql.push(" GROUP BY movie_format, length, release_year, rating");
    sql.query(conn, |row| {
        let kind = Kind {
            movie_format: row.parse(0, MovieFormat::parse)?,
            length: row.number(1)?,
            release_year: row.number(2)?,
            rating: row.number(3)?,
        };
        Ok((kind, row.get(4)?))
    })
    .await
}
