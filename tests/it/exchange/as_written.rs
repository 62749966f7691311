//! Files in the formats of services over the years, and as spreadsheets and editors save them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{errors, file, movies, notes, report};
use crate::{
    on_both,
    support::{Answer, films::empty, movie},
};

const HEADER: &str = "title,movieFormat,length,releaseYear,rating";
const DEFAULTS: &str = "?default=movieFormat:dvd&default=length:0&default=rating:3";

on_both! {
    async fn imdb_s_files_of_2013_to_2017_are_read(service: &Service) {
        let header = r#""position","const","created","modified","description","Title","Title type","Directors","You rated","IMDb Rating","Runtime (mins)","Year","Genres","Num. Votes","Release Date (month/day/year)","URL""#;
        let row = |title: &str, kind: &str, rating: &str| {
            format!(r#""1","tt1","Fri Aug 19 00:00:00 2016","","","{title}","{kind}","X","{rating}","5.9","99","2016","action","7","2016-03-01","http://""#)
        };
        let rows = [
            row("Old film", "Feature Film", "8"), row("Short", "Short Film", ""), row("Doc", "Documentary", "0"),
            row("On TV", "TV Movie", "9"), row("Series", "TV Series", "9"), row("Few", "Mini-Series", "9"),
            row("Part", "TV Episode", "9"), row("Play", "Video Game", "9"),
        ];
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let read = report(service, DEFAULTS, text.clone()).await;
        assert_eq!(
            movies(service).await,
            ["Old film|DVD|99|2016|4", "Short|DVD|99|2016|3", "Doc|DVD|99|2016|3", "On TV|DVD|99|2016|5"]
        );
        assert_eq!((&read["skipped"], &read["source"]), (&json!(4), &json!("imdb")));
        // Another person's list has their name instead of `You`.
        empty(service).await;
        let others = text.replace("You rated", "olivia rated").replace("Feature Film", "Película");
        report(service, DEFAULTS, others).await;
        assert_eq!(movies(service).await[0], "Old film|DVD|99|2016|4");
        // An unknown kind counts as a film.
        let unknown = report(service, &format!("{DEFAULTS}&onError=skip"), text.replace("Documentary", "Hologram")).await;
        assert_eq!(errors(&unknown), ["4 - -: its Title Type is \"Hologram\", which may be a film or not"]);
    }
}

on_both! {
    async fn letterboxd_s_lists_of_all_versions_are_read(service: &Service) {
        let list = String::from_utf8(file("letterboxd_list.csv")).unwrap();
        let (_, without_first_line) = list.split_once('\n').unwrap();
        for (what, text) in [
            ("an empty line", format!("\n{without_first_line}")),
            ("no first line", without_first_line.to_owned()),
            ("another version", list.replace("v7", "v12")),
            ("a mark", format!("\u{feff}{without_first_line}")),
        ] {
            for source in ["", "&source=letterboxd"] {
                empty(service).await;
                let read = report(service, &format!("{DEFAULTS}&onError=skip{source}"), text.clone()).await;
                assert_eq!(movies(service).await, ["Past Lives|DVD|0|2023|3", "May December|DVD|0|2023|3"], "{what}{source}");
                assert_eq!(read["source"], "letterboxd", "{what}{source}");
            }
        }
    }
}

on_both! {
    async fn what_is_written_for_letterboxd_is_read(service: &Service) {
        for (text, expected) in [
            ("Title,Year,Rating10\nHeat,1995,9\nAlien,1979,\n", ["Heat|DVD|0|1995|5", "Alien|DVD|0|1979|3"]),
            ("imdbID,Title,Year,Rating,WatchedDate\nx,Heat,1995,4.5,2024-01-01\ny,Alien,1979,0,\n", ["Heat|DVD|0|1995|5", "Alien|DVD|0|1979|3"]),
            ("LetterboxdURI,Title,Year\nx,Heat,1995\ny,Alien,1979\n", ["Heat|DVD|0|1995|3", "Alien|DVD|0|1979|3"]),
        ] {
            empty(service).await;
            let read = report(service, DEFAULTS, text).await;
            assert_eq!(read["source"], "letterboxd", "{text}");
            assert_eq!(movies(service).await, expected, "{text}");
        }
    }
}

on_both! {
    async fn a_movielens_account_s_files_are_read(service: &Service) {
        for header in ["movie_id,imdb_id,tmdb_id,rating,average_rating,title", "movie_id,imdb_id,tmdb_id,rating,average_rating,title,note"] {
            empty(service).await;
            let note = if header.ends_with("note") { ",x" } else { "" };
            let text = format!("{header}\n2571,tt0133093,603,4.5,4.2,\"Matrix, The (1999)\"{note}\n");
            let read = report(service, DEFAULTS, text).await;
            assert_eq!((&read["source"], &read["created"]), (&json!("movielens"), &json!(1)));
            assert_eq!(movies(service).await, ["The Matrix|DVD|0|1999|5"]);
        }
    }
}

on_both! {
    async fn what_spreadsheets_leave_is_passed_over(service: &Service) {
        for text in [
            format!("{HEADER}\nS9,DVD,90,1990,3\n,,,,\n , ,,,\n\"\",,,,\n"),
            format!(",,,,\n\n{HEADER}\n,,,,\nS9,DVD,90,1990,3\n"),
            format!("{HEADER},,\nS9,DVD,90,1990,3,,\n,,,,,,\n"),
            format!("sep=;\r\n{}\r\nS9;DVD;90;1990;3\r\n;;;;\r\n", HEADER.replace(',', ";")),
            format!("\"sep=|\"\n{}\nS9|DVD|90|1990|3\n", HEADER.replace(',', "|")),
            format!("SEP=\t\n{}\nS9\tDVD\t90\t1990\t3\n", HEADER.replace(',', "\t")),
            format!("\u{feff}\u{feff}{HEADER}\n\u{feff}S9,DVD,90,1990,3\n"),
            format!("\u{feff}\"title\",{}\n\"\u{feff}S9\",DVD,90,1990,3\n", &HEADER[6..]),
            format!("{},note,note\nS9,DVD,90,1990,3,a,b\n", HEADER.to_uppercase()),
            format!("{HEADER}\nS9,DVD,90 min.,1990,3\n"),
        ] {
            empty(service).await;
            let answer = service.import("text/csv", "", text.clone()).await;
            assert_eq!(answer.status, 200, "{text:?} {answer:?}");
            let read = answer.json();
            assert_eq!((&read["read"], &read["created"]), (&json!(1), &json!(1)), "{text:?}");
            assert_eq!(movies(service).await, ["S9|DVD|90|1990|3"], "{text:?}");
        }
        let imdb = "Const,Title,Title Type,Year\ntt1,Heat,Movie,1995\n,,,\n";
        assert_eq!(report(service, DEFAULTS, imdb).await["read"], 1);
        // Line numbers refer to the original file.
        let bad = format!("sep=,\n,,,,\n{HEADER}\n,,,,\nS9,DVD,90,1990,9\n");
        assert_eq!(errors(&report(service, "?onError=skip", bad).await), ["5 rating 9: must be between 1 and 5, got 9; ratingScale=10 reads ratings up to 10"]);
        // Extra columns are an error only if they are not blank.
        let wide = format!("{HEADER}\nS9,DVD,90,1990,3,x\n");
        assert_eq!(errors(&report(service, "?onError=skip", wide).await), ["2 - -: has 6 columns, the header names 5"]);
        let blank = format!("{HEADER}\nM,DVD,111,1931,5,, \n");
        assert_eq!(report(service, "?onError=skip", blank).await["created"], 1);
        for twice in ["title,title,length\n", "Title,movieFormat,rating,Title\n"] {
            let problem = service.import("text/csv", "", twice).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains("twice"), "{problem}");
        }
    }
}

on_both! {
    async fn a_spreadsheet_of_one_s_own_is_read_as_people_write_it(service: &Service) {
        let map = "map=title:Film&map=movieFormat:Format&map=length:Dauer&map=releaseYear:Jahr&map=rating:Note&mapFormat=Blu-ray:DVD";
        let text = "Film;Format;Dauer;Jahr;Note\nHeat;dvd;170;1995;3,5\nAlien;vhs;117 min;1979;8/10\nBrazil;Blu-ray;2:22;1985;★★★\n\
                    Stalker; STREAMING ;161;1979;4 stars\n";
        let read = report(service, &format!("?{map}"), text).await;
        assert_eq!(
            movies(service).await,
            ["Heat|DVD|170|1995|4", "Alien|VHS|117|1979|4", "Brazil|DVD|142|1985|3", "Stalker|Streaming|161|1979|4"]
        );
        assert_eq!(read["noted"], json!({"rounded": 1, "mapped": 4}), "{read}");

        // Ratings up to 10 need an option; they are halved as those of other services.
        empty(service).await;
        let ten = format!("{HEADER}\nHeat,DVD,170,1995,9\nAlien,VHS,117,1979,7.5\nBrazil,VHS,142,1985,1\nRonin,VHS,121,1998,\n");
        assert_eq!(
            errors(&report(service, "?onError=skip&default=rating:3", ten.clone()).await),
            [
                "2 rating 9: must be between 1 and 5, got 9; ratingScale=10 reads ratings up to 10",
                "3 rating 7.5: must be a whole number; ratingScale=10 reads ratings up to 10",
            ]
        );
        empty(service).await;
        report(service, "?ratingScale=10&default=rating:3", ten).await; // the default is not on the scale
        assert_eq!(
            movies(service).await,
            ["Heat|DVD|170|1995|5", "Alien|VHS|117|1979|4", "Brazil|VHS|142|1985|1", "Ronin|VHS|121|1998|3"]
        );
        let problem = service.import("application/x-ndjson", "?ratingScale=10", "{}").await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("ratingScale is for CSV"), "{problem}");
    }
}

on_both! {
    async fn other_encodings_are_recognised_and_read(service: &Service) {
        let text = format!("{HEADER}\nAm\u{e9}lie,DVD,122,2001,5\n");
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let problem = service.import("text/csv", "", bytes.clone()).await.problem(422);
        let detail = problem["report"]["errors"][0]["detail"].as_str().unwrap();
        assert_eq!(detail, "is not UTF-8; encoding=windows-1252 reads it as \"Amélie\"");
        for (media_type, options) in [
            ("text/csv", "?encoding=windows-1252"),
            ("text/csv", "?encoding=Latin1"),
            ("text/csv; charset=iso-8859-1", "?encoding=iso-8859-1"),
            ("text/csv; charset=utf-8", "?encoding=cp1252"),
        ] {
            empty(service).await;
            let answer = service.import(media_type, options, bytes.clone()).await;
            assert_eq!(answer.status, 200, "{media_type} {options} {answer:?}");
            assert_eq!(movies(service).await, ["Amélie|DVD|122|2001|5"]);
        }
        empty(service).await;
        let japanese = [format!("{HEADER}\n").as_bytes(), b"\x83n\x83E\x83X,VHS,88,1977,4\n"].concat();
        report(service, "?encoding=shift_jis", japanese).await;
        assert_eq!(movies(service).await, ["ハウス|VHS|88|1977|4"]);
        // A byte order mark takes precedence over a name.
        empty(service).await;
        report(service, "?encoding=windows-1252", format!("\u{feff}{text}")).await;
        assert_eq!(movies(service).await, ["Amélie|DVD|122|2001|5"]);
        let problem = service.import("text/csv", "?encoding=klingon", text).await.problem(400);
        assert_eq!(problem["errors"][0]["parameter"], "encoding");
        let broken = [format!("{HEADER}\n").as_bytes(), b"\x83"].concat();
        let problem = service.import("text/csv", "?encoding=shift_jis", broken).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("not in Shift_JIS"), "{problem}");
    }
}

on_both! {
    async fn an_exported_array_is_imported_as_it_is(service: &Service) {
        for n in 0..3 {
            service.post("/movie", &movie(&format!("Film, \"{n}\" ]}}"), "DVD", 90, 1990 + n, 3)).await;
        }
        let exported = service.get("/movie").await.text;
        let pretty = serde_json::to_string_pretty(&service.get("/movie").await.json()).unwrap();
        let expected = movies(service).await;
        for text in [exported, pretty.clone(), format!("\u{feff}\n{pretty}\n\n")] {
            empty(service).await;
            let answer = service.import("application/x-ndjson", "", text).await;
            assert_eq!((answer.status, &answer.json()["read"]), (200, &json!(3)), "{answer:?}");
            assert_eq!(movies(service).await, expected);
        }
        assert_eq!(service.import("application/x-ndjson", "", "[]").await.json()["read"], 0);
        let bad = "[{\"title\": \"x\"},\n 7,\n {]";
        let read = service.import("application/x-ndjson", "?onError=skip", bad).await;
        assert_eq!(read.status, 422, "{read:?}");
        for (broken, expected) in [
            ("[{\"title\": \"x\"}", "line 1 ends, but the array does not"),
            ("[{},\n", "line 2 ends, but the array does not"),
            ("[{}]\n{}", "line 2 goes on behind the array"),
            ("[{}],", "line 1 goes on behind the array"),
            ("[{},\n,{}]", "line 2 has a comma without an element before it"),
            ("[ {}\n,\n]", "line 3 has a comma without an element after it"),
        ] {
            let problem = service.import("application/x-ndjson", "?onError=skip", broken).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains(expected), "{broken}: {problem}");
        }
        let report = service.import("application/x-ndjson", "?onError=skip", "[{},\n7,\n\n{\"rating\":\"]\"}]").await.json();
        let lines: Vec<&Value> = report["errors"].as_array().unwrap().iter().map(|error| &error["line"]).collect();
        assert_eq!((lines[0], *lines.last().unwrap(), &report["failed"]), (&json!(1), &json!(4), &json!(3)), "{report}");
    }
}

on_both! {
    async fn a_refusal_names_what_helps(service: &Service) {
        let read = report(service, "?onError=skip&default=movieFormat:VHS&default=length:0&default=rating:3", "Title,Year\nHeat,1995\n").await;
        assert_eq!(
            errors(&read),
            ["2 releaseYear -: is missing, and there is no default for it (default=releaseYear:VALUE); map=releaseYear:Year takes it from this column"]
        );
        let read = report(service, &format!("{DEFAULTS}&onError=skip&map=releaseYear:year"), "title,year\n\"Tom &amp;\n Jerry\",1995\n").await;
        assert_eq!((&read["created"], read["failed"].as_u64()), (&json!(0), Some(1)), "our own titles stand as they are: {read}");
    }
}

on_both! {
    async fn titles_of_a_mapped_column_are_read_as_those_of_others(service: &Service) {
        let text = "Film,releaseYear\n\"Tom &amp;\n \u{202e}Jerry\",1995\n";
        let read = report(service, &format!("{DEFAULTS}&map=title:Film"), text).await;
        assert_eq!(movies(service).await, ["Tom & Jerry|DVD|0|1995|3"]);
        assert_eq!(notes(&read).len(), 2);
        let media = "title,movieFormat,length,releaseYear,rating\nHeat,Blu-ray,170,1995,5\n";
        report(service, "?mapFormat=Blu-ray:dvd", media).await;
        assert_eq!(movies(service).await[1], "Heat|DVD|170|1995|5");
    }
}

on_both! {
    async fn a_file_for_spreadsheets_has_a_mark_and_no_formulas_and_comes_back(service: &Service) {
        for title in ["=HYPERLINK(1)", "+1", "-30-", "@home", "'=x", "Amélie", "'Tis"] {
            service.post("/movie", &movie(title, "DVD", 90, 1990, 3)).await;
        }
        let before = movies(service).await;
        let csv = async |accept: &str| Answer::of(service.request(Method::GET, "/movie").header("accept", accept)).await.text;
        let text = csv("text/csv; profile=spreadsheet").await;
        assert!(text.starts_with("\u{feff}id,title,"), "{text}");
        for cell in [",'=HYPERLINK(1),", ",'+1,", ",'-30-,", ",'@home,", ",''=x,", ",Amélie,", ",'Tis,"] {
            assert!(text.contains(cell), "{cell} in {text}");
        }
        empty(service).await;
        report(service, "", text).await;
        assert_eq!(movies(service).await, before);
        let plain = csv("text/csv").await;
        assert!(plain.starts_with("id,") && plain.contains(",=HYPERLINK(1),"), "{plain}");
    }
}
