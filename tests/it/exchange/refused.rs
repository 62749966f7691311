//! The file of rejected rows, which can be corrected and imported again.

use std::io::Cursor;

use proptest::prelude::*;
use reelshelf::{
    documents::Report,
    domain::Field,
    exchange::{FileKind, ImportOptions, REJECT_COLUMN, check},
};
use serde_json::json;

use super::{file, movies, report};
use crate::{on_both, support::films::any_movie};

const HEADER: &str = "title,movieFormat,length,releaseYear,rating";

fn options(defaults: &[&str]) -> ImportOptions {
    let mut options = ImportOptions::default();
    for default in defaults {
        options.add_default(default, Field::as_str).expect("a default");
    }
    options
}

/// Validates a file. Returns the report and the rejected rows.
fn checked(file: &[u8], kind: FileKind, options: &ImportOptions) -> (Report, String) {
    let mut refused = Vec::new();
    let report = check(Cursor::new(file), kind, options, Some(&mut refused)).expect("it can be read");
    (report, String::from_utf8(refused).expect("UTF-8"))
}

#[test]
fn refused_rows_are_written_in_their_own_layout_with_the_reason() {
    let file = "title;note;movieFormat;length;releaseYear;rating\nHeat;\"a; b\";DVD;170;1995;5\n\
                \"A \"\"B\"\"\nC\";x;DVD;170;1995;6;;\nAlien;y;VHS\n";
    let (report, refused) = checked(file.as_bytes(), FileKind::Csv, &ImportOptions::default());
    assert_eq!((report.read, report.failed, report.created, report.dry_run), (3, 2, 0, true));
    assert_eq!(
        refused,
        "title;note;movieFormat;length;releaseYear;rating;rejectedBecause\n\
         \"A \"\"B\"\"\nC\";x;DVD;170;1995;6;\"title must not contain control characters, got U+000A; \
         rating must be between 1 and 5, got 6; ratingScale=10 reads ratings up to 10\"\n\
         Alien;y;VHS;;;;has 3 columns, the header names 6\n"
    );
    // Rejected again, it has a single column for the reason.
    let (_, again) = checked(refused.as_bytes(), FileKind::Csv, &ImportOptions::default());
    assert_eq!(
        again.lines().next(),
        Some("title;note;movieFormat;length;releaseYear;rating;rejectedBecause")
    );
    assert_eq!(again.lines().count(), 4);
    let marked = format!("\u{feff}{file}");
    assert_eq!(
        checked(marked.as_bytes(), FileKind::Csv, &ImportOptions::default()).1,
        format!("\u{feff}{refused}")
    );
}

#[test]
fn where_nothing_is_refused_nothing_is_written() {
    let file = format!("{HEADER}\nHeat,DVD,170,1995,5\n");
    let (report, refused) = checked(file.as_bytes(), FileKind::Csv, &ImportOptions::default());
    assert_eq!((report.read, report.failed, &*refused), (1, 0, ""));
    let series = "Const,Title,Title Type\ntt1,Lost,TV Series\n";
    let (report, refused) = checked(series.as_bytes(), FileKind::Csv, &ImportOptions::default());
    assert_eq!((report.skipped, report.failed, &*refused), (1, 0, ""));
}

#[test]
fn refused_objects_stand_as_they_stood() {
    let file = "{ \"title\" : \"Heat\", \"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\"rating\": 6.0 }\n\
                {}\nno object\n[1]\n{\"rejectedBecause\":\"old\"}\n{\"title\":\"a\",\"rejectedBecause\":\"old \\\"}\"  }\n";
    let (report, refused) = checked(
        file.as_bytes(),
        FileKind::Ndjson,
        &options(&["rating:3", "length:0", "movieFormat:DVD", "releaseYear:1999"]),
    );
    assert_eq!((report.read, report.failed), (6, 5));
    let missing = "title is missing, and there is no default for it (default=title:VALUE)";
    assert_eq!(
        refused,
        format!(
            "{{ \"title\" : \"Heat\", \"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\"rating\": 6.0,\
             \"rejectedBecause\":\"rating must be between 1 and 5, got 6\"}}\n\
             {{\"rejectedBecause\":\"{missing}\"}}\nno object\n[1]\n{{\"rejectedBecause\":\"{missing}\"}}\n"
        )
    );
}

#[test]
fn a_file_that_breaks_off_cannot_be_checked() {
    let file = format!("{HEADER}\nHeat,DVD,170,1995,9\n\"Alien,DVD,117,1979,5\n");
    let error = check(Cursor::new(file), FileKind::Csv, &ImportOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("line 3: a quotation mark is not closed"), "{error}");
}

on_both! {
    async fn a_file_that_breaks_off_is_refused_alike_tried_or_stored(service: &Service) {
        for options in ["", "?dryRun=true", "?onError=skip", "?onError=skip&dryRun=true"] {
            let file = format!("{HEADER}\nHeat,DVD,170,1995,5\n\"Alien,DVD,117,1979,5\n");
            let problem = service.import("text/csv", options, file).await.problem(422);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with("the file cannot be read: line 3: a quotation mark"), "{options}: {detail}");
        }
        assert_eq!(movies(service).await, [""; 0]);
    }
}

on_both! {
    async fn refused_rows_that_were_mended_are_imported(service: &Service) {
        let ratings = file("letterboxd_ratings.csv");
        let defaults = "?onError=skip&default=movieFormat:DVD&default=length:0";
        report(service, defaults, ratings.clone()).await;
        let (_, refused) = checked(&ratings, FileKind::Csv, &options(&["movieFormat:DVD", "length:0"]));
        let mended = refused.replace("Pirates of the Caribbean: The Curse", "Pirates: The Curse");
        let again = report(service, defaults, mended).await;
        assert_eq!((&again["created"], &again["source"]), (&json!(1), &json!("letterboxd")), "{again}");
        assert_eq!(again["ignoredColumns"], json!(["Date", "Letterboxd URI"]));
        assert_eq!(movies(service).await.len(), 4);
        let line = "{\"title\":\"M\",\"movieFormat\":\"DVD\",\"length\":99,\"releaseYear\":1931,\"rating\":6}\n";
        let (_, refused) = checked(line.as_bytes(), FileKind::Ndjson, &ImportOptions::default());
        assert!(refused.contains(REJECT_COLUMN));
        let mended = refused.replacen("\"rating\":6", "\"rating\":5", 1);
        assert_eq!(service.import("application/x-ndjson", "", mended).await.json()["created"], 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each row is imported or rejected, and a rejected one is imported after a correction.
    #[test]
    fn no_row_is_lost(rows in proptest::collection::vec((any_movie(), any::<bool>()), 1..20)) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEADER.split(',')).unwrap();
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // A byte order mark before the first cell of a row is ignored: without more text the title would be
        // empty.
        prop_assume!(rows.iter().all(|(movie, _)| !text(&movie["title"]).starts_with('\u{feff}')));
        for (movie, good) in &rows {
            let rating = if *good { text(&movie["rating"]) } else { "99".to_owned() };
            let [title, format, length, year] =
                ["title", "movieFormat", "length", "releaseYear"].map(|name| text(&movie[name]));
            csv.write_record([title, format, length, year, rating]).unwrap();
        }
        let bad = rows.iter().filter(|(_, good)| !good).count();
        let (report, refused) = checked(&csv.into_inner().unwrap(), FileKind::Csv, &ImportOptions::default());
        prop_assert_eq!((report.read, report.failed), (rows.len() as u64, bad as u64));
        if bad > 0 {
            let mended = refused.replace(",99,", ",4,");
            let (report, refused) = checked(mended.as_bytes(), FileKind::Csv, &ImportOptions::default());
            prop_assert_eq!((report.read, report.failed, refused.is_empty()), (bad as u64, 0, true));
        }
    }
}
