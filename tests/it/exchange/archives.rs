//! Several files merged into one: a Letterboxd archive, and MovieLens ratings.

use std::io::{Cursor, Read, Write};

use reelshelf::{
    domain::Field,
    exchange::{FileKind, ImportOptions, Origin, check, merge_letterboxd, with_movielens_ratings},
};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{file, written};

fn archive(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a file");
        archive.write_all(content).expect("it is written");
    }
    archive.finish().expect("an archive").into_inner()
}

fn text(mut file: std::fs::File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).expect("a text");
    text
}

fn account() -> Vec<(&'static str, Vec<u8>)> {
    let deleted = b"Date,Name,Year,Letterboxd URI\n2024-01-01,Deleted,2000,x\n".to_vec();
    vec![
        ("letterboxd-olivia-2024-06-01/watchlist.csv", file("letterboxd_watchlist.csv")),
        ("letterboxd-olivia-2024-06-01/lists/best-of-the-year.csv", file("letterboxd_list.csv")),
        ("letterboxd-olivia-2024-06-01/diary.csv", file("letterboxd_diary.csv")),
        ("letterboxd-olivia-2024-06-01/reviews.csv", file("letterboxd_reviews.csv")),
        ("letterboxd-olivia-2024-06-01/ratings.csv", file("letterboxd_ratings.csv")),
        ("letterboxd-olivia-2024-06-01/watched.csv", file("letterboxd_watched.csv")),
        ("letterboxd-olivia-2024-06-01/deleted/diary.csv", deleted.clone()),
        ("letterboxd-olivia-2024-06-01/deleted/lists/old.csv", deleted.clone()),
        ("letterboxd-olivia-2024-06-01/orphaned/diary.csv", deleted.clone()),
        ("letterboxd-olivia-2024-06-01/likes/films.csv", deleted),
        ("letterboxd-olivia-2024-06-01/profile.csv", b"Date Joined,Username\n2020-01-01,olivia\n".to_vec()),
        ("letterboxd-olivia-2024-06-01/comments.csv", b"Date,Content,Comment\n".to_vec()),
        ("__MACOSX/letterboxd-olivia-2024-06-01/watched.csv", b"\0\x05\x16\x07".to_vec()),
    ]
}

#[test]
fn an_archive_with_two_files_of_one_name_is_refused() {
    let films = b"Date,Name,Year,Letterboxd URI\n2024-01-01,Heat,1995,x\n".to_vec();
    let mut bytes = archive(&[("a/watched.csv", films.clone()), ("b/watched.csv", films)]);
    assert!(merge_letterboxd(written(&bytes), false).is_ok());
    let name = b"b/watched.csv";
    while let Some(place) = bytes.windows(name.len()).position(|window| window == name) {
        bytes[place] = b'a';
    }
    let refused = merge_letterboxd(written(&bytes), false).expect_err("an error");
    assert_eq!(refused.to_string(), "the archive has two files of the same name");
}

#[test]
fn an_account_s_archive_becomes_one_file_of_films() {
    let merged = merge_letterboxd(written(&archive(&account())), true).expect("it is read");
    let origin = |file: &str, line| Origin { file: file.to_owned(), line };
    assert_eq!(
        merged.origins,
        [
            origin("ratings.csv", 2),
            origin("ratings.csv", 3),
            origin("diary.csv", 3), // seen twice; the later rating counts
            origin("watched.csv", 5),
            origin("ratings.csv", 4),
            origin("ratings.csv", 5),
            origin("reviews.csv", 2),
            origin("reviews.csv", 5),
            origin("watchlist.csv", 2),
            origin("watchlist.csv", 3),
            origin("lists/best-of-the-year.csv", 7),
            origin("lists/best-of-the-year.csv", 8),
            origin("lists/best-of-the-year.csv", 10),
        ]
    );
    let mut options = ImportOptions::default();
    for default in ["movieFormat:DVD", "length:0", "rating:3"] {
        options.add_default(default, Field::as_str).expect("a default");
    }
    let text = text(merged.file);
    let report = check(Cursor::new(&text), FileKind::Csv, &options, None).expect("it is read");
    let lines: Vec<u64> = report.errors.iter().map(|error| error.line).collect();
    assert_eq!((report.read, lines), (13, vec![5, 7, 14]), "{:?}", report.errors);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..2],
        ["Date,Name,Year,Letterboxd URI,Rating", "2024-01-03,Stalker,1979,https://boxd.it/2b5K,5"]
    );
    assert_eq!(lines[3], "2024-02-12,M,1931,https://boxd.it/5tLwbH,4.5");
    assert_eq!(lines[7], "2024-02-20,Playtime,1967,https://boxd.it/5uAAab,4");
}

#[test]
fn an_archive_without_a_folder_is_read_too() {
    let merged =
        merge_letterboxd(written(&archive(&[("ratings.csv", file("letterboxd_ratings.csv"))])), false);
    assert_eq!(merged.expect("it is read").origins.len(), 4);
}

#[test]
fn a_damaged_archive_is_refused() {
    let whole = archive(&account());
    let mut flipped = whole.clone();
    flipped[100] ^= 0xff;
    let two_columns = b"Date,Name,Year,Letterboxd URI\n2024-01-01,Heat\n".to_vec();
    for (what, archive, expected) in [
        ("cut off", whole[..whole.len() / 2].to_vec(), "is damaged"),
        ("a flipped bit", flipped, "is damaged"),
        ("no archive", b"Date,Name,Year\n".to_vec(), "is damaged, or no ZIP archive"),
        ("nothing", Vec::new(), "is damaged, or no ZIP archive"),
        (
            "no films",
            archive(&[("photo.jpg", b"x".to_vec()), ("likes/watched.csv", Vec::new())]),
            "holds no films",
        ),
        (
            "a short row",
            archive(&[("a/watched.csv", two_columns)]),
            "watched.csv: line 2: the row has 2 columns",
        ),
        (
            "a foreign file",
            archive(&[("watched.csv", b"title\n".to_vec())]),
            "the archive is not one of Letterboxd, or is damaged: watched.csv: line 1 does not name",
        ),
    ] {
        let error = merge_letterboxd(written(&archive), true).expect_err(what);
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
}

#[test]
fn an_archive_that_unpacks_to_more_than_a_gibibyte_is_refused() {
    let one = archive(&[("watched.csv", file("letterboxd_watched.csv"))]);
    let entry = one.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a directory");
    for (size, refused) in [(1_u32 << 30, false), ((1 << 30) + 1, true)] {
        let mut archive = one.clone();
        archive[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
        let error = merge_letterboxd(written(&archive), false)
            .err()
            .map_or_else(String::new, |invalid| invalid.to_string());
        assert_eq!(error.contains("more than 1073741824 bytes"), refused, "{size}: {error}");
    }
}

fn with_ratings(movies: &[u8], ratings: &[u8], user: Option<i64>) -> Result<String, String> {
    with_movielens_ratings(written(movies), written(ratings), user)
        .map(text)
        .map_err(|invalid| invalid.to_string())
}

#[test]
fn movielens_ratings_stand_beside_the_movies() {
    let (movies, ratings) = (file("movielens_movies.csv"), file("movielens_ratings.csv"));
    let column = |user| -> Vec<String> {
        let joined = with_ratings(&movies, &ratings, user).expect("it is read");
        let mut rows = csv::Reader::from_reader(joined.as_bytes());
        rows.records().map(|row| row.expect("a row")[3].to_owned()).collect()
    };
    assert_eq!(column(None), ["3.5", "0.5", "", "4.75", "", "", "", ""]);
    assert_eq!(column(Some(1)), ["4", "", "", "5", "", "", "", ""]);
    assert_eq!(
        with_ratings(&movies, &ratings, Some(3)),
        Err("ratings.csv: holds no rating of user 3".to_owned())
    );
}

#[test]
fn movies_with_ratings_stay_on_their_lines() {
    let movies = "\r\n\"movieId\",title,genres\r\n\r\n1,\"Two\r\nlines (1995)\",x\r\n\r\n2,Heat (1995),x\r\nx,Odd,x\r\n";
    let ratings = "userId,movieId,rating,timestamp\n1,2,5,0\n";
    let joined = with_ratings(movies.as_bytes(), ratings.as_bytes(), None).expect("it is read");
    assert_eq!(
        joined,
        "\nmovieId,title,genres,rating\n\n1,\"Two\r\nlines (1995)\",x,\n\n2,Heat (1995),x,5\nx,Odd,x,\n"
    );
}

#[test]
fn damaged_movielens_files_are_refused_with_their_names() {
    let (movies, ratings) = (file("movielens_movies.csv"), file("movielens_ratings.csv"));
    for (movies, ratings, expected) in [
        (&movies[..], &b"userId,rating\n"[..], "ratings.csv: line 1 does not name the column \"movieId\""),
        (
            &movies,
            b"userId,movieId,rating\n1,2,6\n",
            "ratings.csv: line 2: must be a number from 0.5 to 5, got \"6\"",
        ),
        (
            &movies,
            b"userId,movieId,rating\n1,x,5\n",
            "ratings.csv: line 2: must have a whole number as id, got \"x\"",
        ),
        (&movies, b"userId,movieId,rating\n1,2\n", "ratings.csv: line 2: has only 2 columns"),
        (&movies, b"", "ratings.csv: the file is empty"),
        (b"title\n", &ratings, "movies.csv: line 1 does not name the column \"movieId\""),
        (b"movieId,title,genres\n1,\"x,y\n", &ratings, "movies.csv: the file cannot be read: line 2"),
    ] {
        let error = with_ratings(movies, ratings, None).expect_err(expected);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_watchlist_is_taken_only_if_it_is_wanted() {
    let films = |with_watchlist| {
        let merged = merge_letterboxd(written(&archive(&account())), with_watchlist).expect("it is read");
        merged.origins.into_iter().filter(|origin| origin.file == "watchlist.csv").count()
    };
    assert_eq!((films(false), films(true)), (0, 2));
    let alone = archive(&[("watchlist.csv", file("letterboxd_watchlist.csv"))]);
    for (with_watchlist, films) in [(false, 0), (true, 2)] {
        let merged = merge_letterboxd(written(&alone), with_watchlist).expect("it is read");
        assert_eq!((merged.origins.len(), merged.leaves_out_watchlist), (films, !with_watchlist));
    }
}
