//! Importing files: what is read, what is refused, and every option.

use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, Service, films::attributes_of, movie},
};

const HEADER: &str = "title,movieFormat,length,releaseYear,rating";

/// Rows of so many movies, `Film 0` and so on.
fn rows(title: &str, count: usize, rating: i64) -> String {
    (0..count).map(|n| format!("{title} {n},DVD,90,2000,{rating}\n")).collect::<Vec<_>>().concat()
}

/// The counts of a report: read, created, updated, skipped, failed.
#[track_caller]
fn counts(answer: &Answer) -> [u64; 5] {
    assert_eq!(answer.status, 200, "{answer:?}");
    let report = answer.json();
    ["read", "created", "updated", "skipped", "failed"].map(|name| report[name].as_u64().expect("a count"))
}

/// Line, field and value of each error of a report.
fn errors(report: &Value) -> Vec<(u64, &str, Option<&str>)> {
    let errors = report["errors"].as_array().expect("errors").iter();
    let error = |e: &Value| assert!(e["detail"].as_str().is_some_and(|text| !text.is_empty()), "{e}");
    errors
        .inspect(|e| error(e))
        .map(|e| {
            (e["line"].as_u64().expect("a line"), e["field"].as_str().unwrap_or(""), e["value"].as_str())
        })
        .collect()
}

async fn csv(service: &Service, options: &str, file: impl Into<reqwest::Body>) -> Answer {
    service.import("text/csv", options, file).await
}

async fn stored(service: &Service) -> Vec<Value> {
    service.get("/movie").await.json().as_array().expect("a list").iter().map(attributes_of).collect()
}

on_both! {
    async fn a_file_is_read_in_every_usual_writing(service: &Service) {
        let rows = [movie("Heat, \"Uncut\"", "DVD", 170, 1995, 5), movie("Amélie; Le Film", "VHS", 0, 2001, 1)];
        let comma = format!("{HEADER}\n\"Heat, \"\"Uncut\"\"\",DVD,170,1995,5\nAmélie; Le Film,VHS,0,2001,1\n");
        let semicolon = "title;movieFormat;length;releaseYear;rating\n\"Heat, \"\"Uncut\"\"\";DVD;170;1995;5\n\
                         \"Amélie; Le Film\";VHS;0;2001;1\n";
        let tab = semicolon.replace(';', "\t").replace("Amélie\t", "Amélie;");
        let reordered = "rating,note,releaseYear,length,movieFormat,title\n5,\"a\nb\",1995,170,DVD,\"Heat, \"\"Uncut\"\"\"\n\
                         1,\"\",2001,0,VHS,Amélie; Le Film\n";
        let spaced = format!("{HEADER}\n\" Heat, \"\"Uncut\"\" \", DVD , 170 ,1995.0,5\n\nAmélie; Le Film,VHS,00,2001,1\n");
        let exported = "id,title,movieFormat,length,releaseYear,rating,version,createdAt,updatedAt\n\
                        7,\"Heat, \"\"Uncut\"\"\",DVD,170,1995,5,3,x,y\n9,Amélie; Le Film,VHS,0,2001,1,,,\n";
        let quoted_header = comma.replacen(HEADER, "\"title\",\"movieFormat\",\" length \",\"releaseYear\",\"rating\"", 1);
        for (what, file) in [
            ("commas", comma.clone()),
            ("semicolons", semicolon.to_owned()),
            ("tabs", tab),
            ("CRLF", comma.replace('\n', "\r\n")),
            ("a byte order mark", format!("\u{feff}{comma}")),
            ("a byte order mark and quotes", format!("\u{feff}{quoted_header}")),
            ("no line end at the end", comma.trim_end().to_owned()),
            ("other columns and another order", reordered.to_owned()),
            ("spaces and an empty line", spaced),
            ("the columns of an export", exported.to_owned()),
        ] {
            crate::support::films::empty(service).await;
            for media_type in ["text/csv", "Text/CSV; charset=UTF-8; header=present"] {
                let answer = service.import(media_type, "?onDuplicate=update", file.clone()).await;
                let expected = if media_type == "text/csv" { [2, 2, 0, 0, 0] } else { [2, 0, 0, 2, 0] };
                assert_eq!(counts(&answer), expected, "{what}: {answer:?}");
                assert_eq!(stored(service).await, rows, "{what}");
            }
        }
        assert_eq!(csv(service, "", reordered).await.json()["ignoredColumns"], json!(["note"]));
        for (what, file) in [
            ("lines", format!("{}\n{}\n", rows[0], rows[1])),
            ("CRLF", format!("{}\r\n{}\r\n", rows[0], rows[1])),
            ("a byte order mark, empty lines, no line end", format!("\u{feff}\n{}\n \n{}", rows[0], rows[1])),
        ] {
            crate::support::films::empty(service).await;
            let answer = service.import("application/x-ndjson", "", file).await;
            assert_eq!(counts(&answer), [2, 2, 0, 0, 0], "{what}");
            assert_eq!(stored(service).await, rows, "{what}");
        }
    }
}

on_both! {
    async fn every_error_is_reported_with_its_line_and_field(service: &Service) {
        let file = [
            "title,movieFormat,length,releaseYear,rating,note",
            "Heat,DVD,170,1995,5,",
            ",DVD,170,1995,5,",                       // 3
            "Heat,Blu-ray,501,1799,6,",               // 4
            "Alien,VHS,117,1979,5,\"a note",          // 5
            "of several",
            "lines\"",
            "Heat,DVD,x,1995,4.5,",                   // 8
            "Heat,DVD,170",                           // 9
            "Heat,DVD,170,1995,5,,,x",                // 10
            "Heat,DVD,+170,1995,99999999999999999999,", // 11
            "\"two",                                  // 12
            "lines\",DVD,170,1995,5,",
            "Heat,dvd,1e2,1995,5,",                   // 14
        ];
        for line_end in ["\n", "\r\n"] {
            let report = csv(service, "?onError=skip&dryRun=true", file.join(line_end)).await;
            assert_eq!(counts(&report), [10, 2, 0, 0, 8]);
            let two_lines = format!("two{line_end}lines");
            assert_eq!(
                errors(&report.json()),
                [
                    (3, "title", None),
                    (4, "movieFormat", Some("Blu-ray")),
                    (4, "length", Some("501")),
                    (4, "releaseYear", Some("1799")),
                    (4, "rating", Some("6")),
                    (8, "length", Some("x")),
                    (8, "rating", Some("4.5")),
                    (9, "", None),
                    (10, "", None),
                    (11, "length", Some("+170")),
                    (11, "rating", Some("99999999999999999999")),
                    (12, "title", Some(&*two_lines)),
                    (14, "movieFormat", Some("dvd")),
                    (14, "length", Some("1e2")),
                ],
                "{line_end:?}"
            );
        }
        let file = [
            movie("Heat", "DVD", 170, 1995, 5).to_string(),
            String::new(),
            "{".to_owned(),                                                                       // 3
            "[]".to_owned(),                                                                      // 4
            movie("", "DVD", 501, 1995, 5).to_string(),                                           // 5
            r#"{"title":"Heat","title":"Heat"}"#.to_owned(),                                      // 6
            r#"{"title":"Heat","movieFormat":"DVD","length":"170","releaseYear":1995}"#.to_owned(), // 7
            format!("{},\"actors\":1}}", movie("Heat", "DVD", 1, 1995, 5).to_string().trim_end_matches('}')), // 8
            r#"{"title":7,"movieFormat":null,"length":1.5,"releaseYear":true,"rating":[]}"#.to_owned(), // 9
            "[".repeat(100_000),                                                                  // 10
        ];
        let report = service.import("application/x-ndjson", "?onError=skip", file.join("\n")).await;
        assert_eq!(counts(&report), [9, 1, 0, 0, 8]);
        assert_eq!(
            errors(&report.json()),
            [
                (3, "", None),
                (4, "", None),
                (5, "title", Some("")),
                (5, "length", Some("501")),
                (6, "title", None),
                (7, "length", Some("170")),
                (7, "rating", None),
                (8, "", None),
                (9, "title", Some("7")),
                (9, "movieFormat", None),
                (9, "length", Some("1.5")),
                (9, "releaseYear", Some("true")),
                (9, "rating", Some("an array")),
                (10, "", None),
            ]
        );
        assert_eq!(stored(service).await.len(), 1);
    }
}

on_both! {
    async fn lines_are_counted_over_empty_ones(service: &Service) {
        for line_end in ["\n", "\r\n"] {
            let file = [HEADER, "", "Heat,DVD,170,1995,5", "", "", "Heat,DVD,170,1995,6", "", "Heat,DVD,170,1995,0"];
            let report = csv(service, "?onError=skip&dryRun=true", file.join(line_end)).await.json();
            assert_eq!(errors(&report), [(6, "rating", Some("6")), (8, "rating", Some("0"))], "{line_end:?}");
        }
    }
}

on_both! {
    async fn what_is_not_utf8_is_an_error_of_its_row(service: &Service) {
        let file = [HEADER.as_bytes(), b"\nAm\xe9lie,DVD,122,2001,5\nHeat,DVD,170,1995,5\n"].concat();
        let report = csv(service, "?onError=skip", file).await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
        assert_eq!(errors(&report.json()), [(2, "title", Some("Am\u{fffd}lie"))]);
        let file = [b"{\"title\":\"Am\xe9lie\"}\n".to_vec(), movie("Alien", "DVD", 117, 1979, 5).to_string().into()].concat();
        let report = service.import("application/x-ndjson", "?onError=skip", file).await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
        assert_eq!(errors(&report.json()), [(1, "", None)]);
    }
}

on_both! {
    async fn one_bad_row_and_nothing_is_stored(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 1).await;
        let before = service.get("/movie").await.text;
        // The bad row stands behind several pieces that were stored already.
        let rows = rows("Film", 1200, 3);
        let file = format!("{HEADER}\nHeat,DVD,170,1995,5\n{rows}Bad,DVD,90,2000,9\n{rows}");
        for options in ["", "?onError=abort", "?onDuplicate=update", "?dryRun=true", "?onDuplicate=add"] {
            let answer = csv(service, options, file.clone()).await;
            let problem = answer.problem(422);
            let report = &problem["report"];
            let counts = ["read", "created", "updated", "skipped", "failed"].map(|name| report[name].as_u64().unwrap());
            assert_eq!(counts, [2402, 0, 0, 0, 1], "{options}");
            assert_eq!(errors(report), [(1203, "rating", Some("9"))]);
            assert_eq!(service.get("/movie").await.text, before, "{options}");
        }
        let skipping = csv(service, "?onError=skip&onDuplicate=update", file).await;
        assert_eq!(counts(&skipping), [2402, 1200, 1, 1200, 1]);
        assert_eq!(service.get("/movie/1").await.json()["rating"], 5);
        assert_eq!(service.get("/movie?total=true&limit=1").await.header("x-total-count"), "1201");
    }
}

on_both! {
    async fn the_first_thousand_errors_are_kept_and_the_counts_are_whole(service: &Service) {
        let rows: String = (0..1700).map(|n| if n % 2 == 0 { "x,VCR,1,2000,9\n" } else { "y,DVD,1,2000,\n" }).collect();
        let file = format!("{HEADER}\n{rows}Heat,DVD,170,1995,5\n");
        let report = csv(service, "?onError=skip", file.clone()).await;
        assert_eq!(counts(&report), [1701, 1, 0, 0, 1700]);
        let report = report.json();
        let kept = errors(&report);
        assert_eq!(kept.len(), 1000);
        assert_eq!(kept[..3], [(2, "movieFormat", Some("VCR")), (2, "rating", Some("9")), (3, "rating", None)]);
        assert_eq!(kept[999].0, 668);
        let aborted = csv(service, "", file).await.problem(422);
        assert_eq!((&aborted["report"]["failed"], &aborted["report"]["read"]), (&json!(1700), &json!(1701)));
        assert_eq!(aborted["report"]["errors"].as_array().unwrap().len(), 1000);
    }
}

on_both! {
    async fn a_default_stands_in_for_what_is_missing(service: &Service) {
        let file = "title,releaseYear,rating\nHeat,1995,\nAlien,1979,4\n";
        let without = csv(service, "?onError=skip", file).await.json();
        assert_eq!(without["failed"], 2);
        assert!(without["errors"][0]["detail"].as_str().unwrap().contains("default=movieFormat"), "{without}");
        let options = "?default=movieFormat:DVD&default=length:0&default=rating:3";
        assert_eq!(counts(&csv(service, options, file).await), [2, 2, 0, 0, 0]);
        assert_eq!(stored(service).await, [movie("Heat", "DVD", 0, 1995, 3), movie("Alien", "DVD", 0, 1979, 4)]);
        let file = "{\"title\":\"Jaws\",\"releaseYear\":1975,\"rating\":null}\n";
        assert_eq!(counts(&service.import("application/x-ndjson", options, file).await), [1, 1, 0, 0, 0]);
        assert_eq!(stored(service).await[2], movie("Jaws", "DVD", 0, 1975, 3));
        let title = "?default=title:Who%3A%20Me&default=movieFormat:VHS";
        let file = "length,releaseYear,rating\n1,1900,1\n";
        assert_eq!(counts(&csv(service, title, file).await), [1, 1, 0, 0, 0]);
        assert_eq!(stored(service).await[3], movie("Who: Me", "VHS", 1, 1900, 1));
        // Options for the values of a file do not help.
        let wrong = csv(service, "?default=rating:9&default=movieFormat:Beta", file).await.problem(400);
        let details = [0, 1].map(|n| wrong["errors"][n]["detail"].as_str().expect("a text"));
        assert!(details[0].ends_with("got 9") && details[1].ends_with("got \"Beta\""), "{details:?}");
    }
}

on_both! {
    async fn foreign_columns_and_media_are_mapped(service: &Service) {
        let file = "Name,Medium: kind,length,Year,rating\nHeat,Blu-ray,170,1995,5\nAlien,4K: UHD,117,1979,4\nJaws,VHS,124,1975,5\n";
        let options = "?map=title:Name&map=movieFormat:Medium:%20kind&map=releaseYear:Year";
        let media = "&mapFormat=Blu-ray:DVD&mapFormat=4K:%20UHD:Streaming";
        let unmapped = csv(service, &format!("{options}&onError=skip&dryRun=true"), file).await;
        assert_eq!(errors(&unmapped.json()), [(2, "movieFormat", Some("Blu-ray")), (3, "movieFormat", Some("4K: UHD"))]);
        assert_eq!(counts(&csv(service, &format!("{options}{media}"), file).await), [3, 3, 0, 0, 0]);
        let expected = [
            movie("Heat", "DVD", 170, 1995, 5),
            movie("Alien", "Streaming", 117, 1979, 4),
            movie("Jaws", "VHS", 124, 1975, 5),
        ];
        assert_eq!(stored(service).await, expected);
        let row = r#"{"Name":"Them!","Medium: kind":"Blu-ray","length":94,"Year":1954,"rating":4}"#;
        let answer = service.import("application/x-ndjson", &format!("{options}{media}"), row).await;
        assert_eq!(counts(&answer), [1, 1, 0, 0, 0]);
        csv(service, "?map=title:Nome", file).await.problem(422);
    }
}

on_both! {
    async fn what_is_there_already_is_skipped_added_or_updated(service: &Service) {
        // The same title but for case and accents, the same year and format; then others in one of the three.
        let file = format!(
            "{HEADER}\nAMELIE,DVD,122,2001,4\namélie,VHS,122,2001,4\nAmélie,DVD,122,2002,4\nAmélie 2,DVD,122,2001,4\n\
             Amélie 2,DVD,99,2001,1\nAMÉLIE 2,DVD,99,2001,2\n"
        );
        for (options, counted, ratings) in [
            ("", [6, 3, 0, 3, 0], &[5, 4, 4, 4][..]),
            ("?onDuplicate=skip", [6, 3, 0, 3, 0], &[5, 4, 4, 4]),
            ("?onDuplicate=add", [6, 6, 0, 0, 0], &[5, 4, 4, 4, 4, 1, 2]),
            ("?onDuplicate=update", [6, 3, 3, 0, 0], &[4, 4, 4, 2]),
        ] {
            crate::support::films::empty(service).await;
            let first = service.add("Amélie", "DVD", 122, 2001, 5).await;
            for dry in [true, false] {
                let dry_run = if options.is_empty() { "?" } else { "&" }.to_owned() + &format!("dryRun={dry}");
                let answer = csv(service, &format!("{options}{dry_run}"), file.clone()).await;
                assert_eq!(counts(&answer), counted, "{options}");
                assert_eq!(answer.json()["dryRun"], dry);
                if dry {
                    assert_eq!(service.get("/movie").await.json(), json!([first]), "{options}");
                }
            }
            let now: Vec<i64> = stored(service).await.iter().map(|m| m["rating"].as_i64().unwrap()).collect();
            assert_eq!(now, ratings, "{options}");
            let updated = service.get(&format!("/movie/{}", first["id"])).await.json();
            let expected = if options.ends_with("update") { ("AMELIE", 2) } else { ("Amélie", 1) };
            assert_eq!((updated["title"].as_str().unwrap(), updated["version"].as_i64().unwrap()), expected);
            let again = csv(service, "", file.clone()).await;
            assert_eq!(counts(&again), [6, 0, 0, 6, 0], "{options}: what was imported is there");
        }
        let same = csv(service, "?onDuplicate=update", format!("{HEADER}\nAMELIE,DVD,122,2001,4\n")).await;
        assert_eq!(counts(&same), [1, 0, 0, 1, 0], "what changes nothing is no update");
        assert_eq!(service.titles("/movie?q=amelie&releaseYear=2001&movieFormat=DVD&rating=4").await, ["AMELIE"]);
    }
}

on_both! {
    async fn defaults_fill_new_movies_and_leave_those_that_are_there(service: &Service) {
        service.add("Goldfinger", "DVD", 113, 1964, 4).await;
        let options = "?onDuplicate=update&default=length:0&default=rating:3&default=movieFormat:DVD";
        let file = "title,releaseYear,rating\nGoldfinger,1964,\nRonin,1998,\nRONIN,1998,5\nRonin,1998,\n";
        let answer = csv(service, options, file).await;
        assert_eq!(counts(&answer), [4, 1, 2, 1, 0]);
        assert_eq!(
            stored(service).await,
            [movie("Goldfinger", "DVD", 113, 1964, 4), movie("Ronin", "DVD", 0, 1998, 5)]
        );
        assert_eq!(service.get("/movie/1").await.json()["version"], 1);
        let notes = answer.json()["notes"].to_string();
        assert!(notes.contains("is missing, becomes 0 in a new movie"), "{notes}");
        let answer = csv(service, options, "title,releaseYear,rating\nGOLDFINGER,1964,2\n").await;
        assert_eq!(counts(&answer), [1, 0, 1, 0, 0]);
        assert_eq!(stored(service).await[0], movie("GOLDFINGER", "DVD", 113, 1964, 2));
    }
}

on_both! {
    async fn duplicates_are_found_over_a_whole_file(service: &Service) {
        let file = format!("{HEADER}\n{}{}", rows("Film", 1300, 3), rows("FILM", 1300, 4));
        assert_eq!(counts(&csv(service, "?dryRun=true", file.clone()).await), [2600, 1300, 0, 1300, 0]);
        assert_eq!(counts(&csv(service, "?onDuplicate=update", file).await), [2600, 1300, 1300, 0, 0]);
        assert_eq!(service.get("/stats").await.json()["rating"], json!({"1": 0, "2": 0, "3": 0, "4": 1300, "5": 0}));
        assert_eq!(service.titles("/movie?limit=1").await, ["FILM 0"]);
    }
}

on_both! {
    async fn a_title_that_is_too_long_is_an_error_or_cut(service: &Service) {
        let (long, fits) = ("x".repeat(51), "é".repeat(50));
        let file = format!("{HEADER}\n{long},DVD,1,2000,1\n{fits},DVD,1,2000,1\n");
        for options in ["?onError=skip&dryRun=true", "?titleTooLong=error&onError=skip&dryRun=true"] {
            assert_eq!(errors(&csv(service, options, file.clone()).await.json()), [(2, "title", Some(&*long))]);
        }
        assert_eq!(counts(&csv(service, "?titleTooLong=truncate", file).await), [2, 2, 0, 0, 0]);
        assert_eq!(service.titles("/movie").await, [format!("{}…", "x".repeat(49)), fits]);
    }
}

on_both! {
    async fn a_bad_option_is_refused_by_name(service: &Service) {
        for (options, names) in [
            ("source=amazon", &["source"][..]),
            ("source=", &["source"]),
            ("onDuplicate=replace", &["onDuplicate"]),
            ("onDuplicate=add&onDuplicate=add", &["onDuplicate"]),
            ("onError=ignore", &["onError"]),
            ("titleTooLong=cut", &["titleTooLong"]),
            ("ratingScale=1", &["ratingScale"]),
            ("ratingScale=ten", &["ratingScale"]),
            ("dryRun=1", &["dryRun"]),
            ("default=length", &["default"]),
            ("default=minutes:90", &["default"]),
            ("default=length:1&default=length:2", &["default"]),
            ("default=rating:9", &["default"]),
            ("default=length:ninety", &["default"]),
            ("default=movieFormat:Blu-ray", &["default"]),
            ("default=title:", &["default"]),
            ("map=title", &["map"]),
            ("map=name:title", &["map"]),
            ("map=title:a&map=title:b", &["map"]),
            ("mapFormat=Blu-ray", &["mapFormat"]),
            ("mapFormat=Blu-ray:disc", &["mapFormat"]),
            ("mapFormat=Blu-ray:DVD&mapFormat=Blu-ray:VHS", &["mapFormat"]),
            ("limit=1", &["limit"]),
            ("onerror=skip&dryRun=maybe&default=x", &["default", "dryRun", "onerror"]),
        ] {
            for media_type in ["text/csv", "application/x-ndjson"] {
                let answer = service.import(media_type, &format!("?{options}"), "title\nHeat\n").await;
                assert_eq!(answer.places(400), names, "{options}");
            }
        }
        assert!(stored(service).await.is_empty());
    }
}

on_both! {
    async fn a_file_that_cannot_be_read_at_all_is_refused(service: &Service) {
        for (what, file) in [
            ("nothing", Vec::new()),
            ("a byte order mark", "\u{feff}".into()),
            ("line ends", "\n\r\n\n".into()),
            ("no known column", "name,year\nHeat,1995\n".into()),
            ("a column twice", "title,title,length\nHeat,Heat,1\n".into()),
            ("a header that is not UTF-8", b"title,\xe9\nHeat,1\n".to_vec()),
            ("UTF-16", "title,movieFormat\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ] {
            let answer = csv(service, "", file).await;
            assert_eq!(answer.status, 422, "{what}: {answer:?}");
            answer.problem(422);
        }
        let latin = service.import("text/csv; charset=iso-8859-1", "", HEADER).await;
        latin.problem(415);
        let header_alone = csv(service, "", HEADER).await;
        assert_eq!(counts(&header_alone), [0, 0, 0, 0, 0]);
        assert_eq!(counts(&service.import("application/x-ndjson", "", "").await), [0, 0, 0, 0, 0]);
    }
}

on_both! {
    async fn a_row_without_an_end_is_refused_after_a_megabyte(service: &Service) {
        let good = "Alien,DVD,117,1979,5\n".repeat(600);
        let endless = format!("{HEADER}\n{good}\"Heat,DVD,170,1995,5\n{}", "Jaws,DVD,124,1975,5\n".repeat(250_000));
        assert!(endless.len() > 5_000_000);
        for options in ["", "?onError=skip"] {
            let problem = csv(service, options, endless.clone()).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains("1048576"), "{problem}");
        }
        let endless = "{\"title\":\"".to_owned() + &"x".repeat(3_000_000);
        for options in ["", "?onError=skip"] {
            let problem = service.import("application/x-ndjson", options, endless.clone()).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains("1048576"), "{problem}");
        }
        assert!(stored(service).await.is_empty());
    }
}

on_both! {
    async fn a_quotation_mark_that_is_never_closed_swallows_no_rows(service: &Service) {
        let file = format!("{HEADER},note\nHeat,DVD,170,1995,5,\"good\nAlien,DVD,117,1979,5,\nJaws,DVD,124,1975,5,\n");
        csv(service, "", file).await.problem(422);
        assert!(stored(service).await.is_empty());
    }
}

on_both! {
    async fn an_import_is_larger_than_other_bodies_may_be(service: &Service) {
        let noted = rows("Film", 6000, 3).replace(",3\n", &format!(",3,{}\n", "n".repeat(180)));
        let file = format!("{HEADER},note\n{noted}");
        assert!(file.len() > 1_200_000);
        assert_eq!(counts(&csv(service, "", file).await), [6000, 6000, 0, 0, 0]);
    }
}

on_both! {
    async fn imports_at_once_find_each_others_movies(service: &Service) {
        let file = format!("{HEADER}\n{}", rows("Film", 50, 3));
        let all = futures_util::future::join_all((0..6).map(|_| csv(service, "", file.clone()))).await;
        let created: u64 = all.iter().map(|answer| counts(answer)[1]).sum();
        assert_eq!(created, 50);
        assert_eq!(stored(service).await.len(), 50);
    }
}

on_both! {
    async fn a_dry_run_shows_what_becomes_of_the_first_100_rows(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let file = format!("{HEADER}\nheat,DVD,171,1995,4\nHeat,VHS,170,1995,5\n\nAlien,DVD,117,1979,9\nHeat,VHS,170,1995,5\n");
        let preview = |report: &Value| -> Vec<Value> {
            let rows = report["preview"].as_array().expect("a preview").iter();
            rows.map(|row| json!([row["line"], row["becomes"], row["movie"]["title"], row["id"]])).collect()
        };
        let skipped = csv(service, "?dryRun=true&onError=skip", file.clone()).await;
        assert_eq!(counts(&skipped), [4, 1, 0, 2, 1]);
        assert_eq!(preview(&skipped.json()), [
            json!([2, "skipped", "heat", 1]),
            json!([3, "created", "Heat", null]),
            json!([5, "refused", null, null]),
            json!([6, "skipped", "Heat", null]),
        ]);
        assert_eq!(skipped.json()["preview"][0]["movie"], movie("heat", "DVD", 171, 1995, 4));
        let updated = csv(service, "?dryRun=true&onError=skip&onDuplicate=update", file.clone()).await.json();
        assert_eq!(preview(&updated)[0], json!([2, "updated", "heat", 1]));
        let added = csv(service, "?dryRun=true&onError=skip&onDuplicate=add", file.clone()).await.json();
        assert_eq!(preview(&added)[3], json!([6, "created", "Heat", null]));
        let aborted = csv(service, "?dryRun=true", file).await.problem(422);
        assert_eq!(preview(&aborted["report"])[2], json!([5, "refused", null, null]));
        assert_eq!(service.titles("/movie").await, ["Heat"]);

        let many = format!("{HEADER}\n{}Film,DVD,90,2000,9\n{}", rows("First", 99, 3), rows("Second", 600, 3));
        let report = csv(service, "?dryRun=true&onError=skip", many).await.json();
        let lines: Vec<Value> = report["preview"].as_array().unwrap().iter().map(|row| row["line"].clone()).collect();
        assert_eq!(lines, (2..=101).collect::<Vec<u64>>());
        assert_eq!(report["preview"][99]["becomes"], "refused");
        let stored = csv(service, "?onError=skip", format!("{HEADER}\n{}", rows("First", 1, 3))).await.json();
        assert_eq!(stored.get("preview"), None);
    }
}
