//! The layouts of other services.

use serde_json::json;

use super::{errors, file, movies, notes, report};
use crate::{on_both, support::films::empty};

/// Defaults for what Letterboxd and others lack.
const DEFAULTS: &str = "?default=movieFormat:DVD&default=length:0&default=rating:3&onError=skip";

const MISSING_YEAR: &str = "is missing, and there is no default for it (default=releaseYear:VALUE)";

on_both! {
    async fn letterboxd_s_files_are_read(service: &Service) {
        for (name, expected) in [
            ("letterboxd_watched.csv", &["Stalker|DVD|0|1979|3", "Crouching Tiger, Hidden Dragon|DVD|0|2000|3", "M|DVD|0|1931|3"][..]),
            ("letterboxd_watchlist.csv", &["2001: A Space Odyssey|DVD|0|1968|3", "Jeanne Dielman|DVD|0|1975|3"]),
            ("letterboxd_ratings.csv", &["Stalker|DVD|0|1979|5", "Crouching Tiger, Hidden Dragon|DVD|0|2000|4", "Cats|DVD|0|2019|1"]),
            ("letterboxd_diary.csv", &["M|DVD|0|1931|3", "Playtime|DVD|0|1967|3"]),
            ("letterboxd_reviews.csv", &["Playtime|DVD|0|1967|4", "Heat|DVD|0|1995|4"]),
            ("letterboxd_list.csv", &["Past Lives|DVD|0|2023|3", "May December|DVD|0|2023|3"]),
        ] {
            empty(service).await;
            let report = report(service, DEFAULTS, file(name)).await;
            assert_eq!(report["source"], "letterboxd", "{name}");
            assert_eq!(movies(service).await, expected, "{name}: {report}");
        }
    }
}

on_both! {
    async fn letterboxd_s_rows_are_accounted_for(service: &Service) {
        let ratings = report(service, DEFAULTS, file("letterboxd_ratings.csv")).await;
        let long = "Pirates of the Caribbean: The Curse of the Black Pearl";
        assert_eq!(errors(&ratings), [format!("5 title {long}: must have at most 50 characters, got 54")]);
        assert_eq!(notes(&ratings), ["3 rating rounded 3.5: became 4", "4 rating rounded 0.5: became 1"]);
        assert_eq!(ratings["noted"], json!({"defaulted": 6, "rounded": 2}));
        assert_eq!(ratings["ignoredColumns"], json!(["Date", "Letterboxd URI"]));
        let cut = report(service, &format!("{DEFAULTS}&titleTooLong=truncate"), file("letterboxd_ratings.csv")).await;
        let title = "Pirates of the Caribbean: The Curse of the Black…";
        assert!(notes(&cut).contains(&format!("5 title cut {long}: became \"{title}\"")), "{cut}");
        assert_eq!(service.titles("/movie?q=pirates").await, [title]);

        // A film that was watched twice is in the diary twice.
        let diary = report(service, &format!("{DEFAULTS}&onDuplicate=update"), file("letterboxd_diary.csv")).await;
        assert_eq!((&diary["created"], &diary["updated"]), (&json!(2), &json!(1)));
        let again = report(service, DEFAULTS, file("letterboxd_diary.csv")).await;
        let id = service.get("/movie?q=playtime").await.json()[0]["id"].clone();
        assert_eq!(*notes(&again).last().unwrap(), format!("4 - skipped Playtime: is there already as movie {id}"));
        assert_eq!(again["notes"].as_array().unwrap().last().unwrap()["id"], id);
        // The line number includes the two-line description of the list.
        let list = report(service, DEFAULTS, file("letterboxd_list.csv")).await;
        assert_eq!(errors(&list), [format!("10 releaseYear -: {MISSING_YEAR}")]);
    }
}

on_both! {
    async fn imdb_s_films_are_read_and_the_rest_is_skipped(service: &Service) {
        let options = "?default=movieFormat:DVD&default=length:0&default=rating:2";
        let ratings = report(service, options, file("imdb_ratings.csv")).await;
        assert_eq!(
            movies(service).await,
            [
                "Heat|DVD|170|1995|5", "Amélie|DVD|122|2001|4", "Tom & Jerry: The Movie|DVD|0|1992|1",
                "Rocky|DVD|120|1976|4", "Short One|DVD|12|2010|3",
            ]
        );
        assert_eq!(
            notes(&ratings),
            [
                "2 rating rounded 9: became 5",
                "3 rating rounded 7: became 4",
                "4 - skipped TV Series: is no film",
                "5 - skipped TV Mini Series: is no film",
                "6 title decoded Tom &amp; Jerry: The Movie: became \"Tom & Jerry: The Movie\"",
                "6 rating rounded 1: became 1",
                "8 - skipped Video Game: is no film",
                "9 rating rounded 5: became 3",
                "10 - skipped Podcast Episode: is no film",
                "11 - skipped Music Video: is no film",
            ]
        );
        let counts = ["read", "created", "skipped", "failed"].map(|name| ratings[name].as_u64());
        assert_eq!(counts, [Some(10), Some(5), Some(5), Some(0)]);
        assert_eq!((&ratings["source"], &ratings["noted"]["skipped"]), (&json!("imdb"), &json!(5)));
        for (name, expected) in [
            ("imdb_ratings_old.csv", &["Heat|DVD|170|1995|5"][..]),
            ("imdb_list.csv", &["2001: A Space Odyssey|DVD|149|1968|2", "Stalker|DVD|162|1979|5"]),
            ("imdb_watchlist.csv", &["2001: A Space Odyssey|DVD|149|1968|2"]),
        ] {
            empty(service).await;
            report(service, options, file(name)).await;
            assert_eq!(movies(service).await, expected, "{name}");
        }
        let blank = "Const,Title,Title Type,Year\ntt1,Heat,,1995\n";
        let blank = report(service, "?onError=skip&default=rating:1", blank).await;
        assert_eq!(errors(&blank), ["2 - -: its Title Type is blank, so it may be no film"]);
    }
}

on_both! {
    async fn movielens_titles_are_turned_round(service: &Service) {
        let report = report(service, DEFAULTS, file("movielens_movies.csv")).await;
        assert_eq!(
            movies(service).await,
            [
                "Toy Story|DVD|0|1995|3", "The City of Lost Children|DVD|0|1995|3", "Les Misérables|DVD|0|1995|3",
                "The Matrix|DVD|0|1999|3", "\"Great Performances\" Cats|DVD|0|1998|3", "(500) Days of Summer|DVD|0|2009|3",
            ]
        );
        let city = "City of Lost Children, The (Cité des enfants perdus, La) (1995)";
        assert_eq!(notes(&report)[0], format!("3 title rewritten {city}: became \"The City of Lost Children\""));
        assert_eq!(report["noted"]["rewritten"], 3);
        assert_eq!(errors(&report), [6, 9].map(|line| format!("{line} releaseYear -: {MISSING_YEAR}")));
        assert_eq!(report["source"], "movielens");
    }
}

on_both! {
    async fn tellico_s_medium_is_the_format(service: &Service) {
        let options = "?onError=skip&default=rating:3";
        let unmapped = report(service, &format!("{options}&dryRun=true"), file("tellico.csv")).await;
        assert_eq!(
            errors(&unmapped),
            ["5 movieFormat Blu-ray: must be VHS, DVD or Streaming, got \"Blu-ray\"; \
              give its format, such as mapFormat=Blu-ray:DVD"]
        );
        assert_eq!(
            unmapped["errors"][0]["reason"],
            json!({"rule": "must be VHS, DVD or Streaming", "got": "\"Blu-ray\"", "hints": [
                {"option": "mapFormat", "value": "Blu-ray:DVD", "before": "; give its format, such as ", "after": ""}
            ]})
        );
        let mapped = report(service, &format!("{options}&mapFormat=%20blu-RAY:DVD"), file("tellico.csv")).await;
        assert_eq!(
            movies(service).await,
            ["The Matrix|DVD|136|1999|4", "L'Avventura|VHS|143|1960|5", "Brazil (Director's Cut)|DVD|142|1985|3", "Persona|VHS|83|1966|3"]
        );
        assert_eq!(
            notes(&mapped),
            [
                "2 title rewritten Matrix, The: became \"The Matrix\"",
                "3 title rewritten Avventura, L': became \"L'Avventura\"",
                "5 movieFormat mapped Blu-ray: became \"DVD\"",
                "6 movieFormat mapped vhs: became \"VHS\"",
            ]
        );
        assert!(mapped["ignoredColumns"].as_array().unwrap().contains(&json!("Format")));
        assert_eq!(mapped["source"], "tellico");
    }
}

on_both! {
    async fn clz_s_columns_are_those_that_were_chosen(service: &Service) {
        let report_of = report(service, "?default=rating:2&mapFormat=Blu-ray:DVD", file("clz.csv")).await;
        assert_eq!(
            movies(service).await,
            ["Heat|DVD|170|1995|5", "Das Boot|VHS|149|1981|2", "Blade Runner \"The Final Cut\"|DVD|117|1982|4"]
        );
        assert_eq!((&report_of["source"], &report_of["noted"]["decoded"]), (&json!("clz"), &json!(1)));
        empty(service).await;
        let dates = report(service, "?onError=skip", file("clz_dates.csv")).await;
        assert_eq!(movies(service).await, ["Heat|DVD|170|1995|5", "Alien|VHS|117|1979|4", "Jaws|DVD|124|1975|4"]);
        assert_eq!(
            errors(&dates),
            [
                "5 releaseYear soon: must be a year, or a date with a year of four digits, got \"soon\"".to_owned(),
                format!("6 releaseYear -: {MISSING_YEAR}"),
            ]
        );
    }
}

on_both! {
    async fn libib_s_movies_are_read_and_the_rest_is_skipped(service: &Service) {
        let report = report(service, "?default=movieFormat:DVD&default=rating:2", file("libib.csv")).await;
        assert_eq!(movies(service).await, ["The Matrix|DVD|136|1999|5", "Alien|DVD|117|1999|2"]);
        assert_eq!(
            notes(&report),
            [
                "2 title rewritten Matrix, The: became \"The Matrix\"",
                "2 rating rounded 4,5: became 5",
                "4 - skipped book: is no film",
                "6 - skipped game: is no film",
            ]
        );
        assert_eq!((&report["skipped"], &report["source"]), (&json!(2), &json!("libib")));
    }
}

on_both! {
    async fn a_source_can_be_named_and_its_columns_mapped(service: &Service) {
        // The header does not identify Letterboxd, so its layout is requested.
        let file = "Name,Year,Stars,Medium\nAm&eacute;lie,2001,\"4,5\",dvd\n\"Two\n lines\",1999,1,VHS\n";
        let options = "?source=letterboxd&map=rating:Stars&map=movieFormat:Medium&default=length:1h30";
        let read = report(service, options, file).await;
        assert_eq!(movies(service).await, ["Amélie|DVD|90|2001|5", "Two lines|VHS|90|1999|1"]);
        assert_eq!(
            notes(&read),
            [
                "2 title decoded Am&eacute;lie: became \"Amélie\"",
                "2 movieFormat mapped dvd: became \"DVD\"",
                "2 rating rounded 4,5: became 5",
                "3 title collapsed Two\n lines: became \"Two lines\"",
            ]
        );
        for (options, file, expected) in [
            ("source=imdb", "Const,Name\n", "line 1 does not name the column \"Title\" and \"Title Type\", which source=imdb needs"),
            ("source=letterboxd", "title,Year\n", "line 1 does not name the column \"Name\", which source=letterboxd needs"),
            ("map=title:Film", "Name,Year,Letterboxd URI\n", "line 1 does not name the mapped column \"Film\""),
            ("", "Film,Jahr\nHeat,1995\n", "is not as Letterboxd, IMDb, MovieLens, Tellico, CLZ or Libib write it"),
        ] {
            let problem = service.import("text/csv", &format!("?{options}"), file).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains(expected), "{options}: {problem}");
        }
        let problem = service.import("text/csv", "", "Film,Jahr\nHeat,1995\n").await.problem(422);
        let hints = problem["reason"]["hints"].as_array().expect("hints").iter();
        let hints: Vec<_> = hints.map(|hint| [&hint["option"], &hint["value"]]).collect();
        assert_eq!(json!(hints), json!([["map", "FIELD:COLUMN"], ["map", "title:Film"], ["map", "releaseYear:Jahr"]]));
        let problem = service.import("application/x-ndjson", "?source=imdb", "{}").await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("the file is NDJSON, and source=imdb is a layout of CSV"), "{problem}");
    }
}

on_both! {
    async fn a_layout_is_found_whatever_the_order_and_the_number_of_its_columns(service: &Service) {
        for (header, source) in [
            ("Year,rejectedBecause,Letterboxd URI,Name", "letterboxd"),
            ("Tags,Name,Position,Year,URL,Description", "letterboxd"),
            ("title type,const,title", "imdb"),
            ("genres;title;movieId;tmdbId", "movielens"),
            ("Medium\tTitle\tPersonal Rating\tFormat\tRunning Time", "tellico"),
            ("My Rating,Title", "clz"),
            ("Title,My Rating,Running Time,Studio", "clz"),
            ("Title,Year,Format,My Rating,Runtime", "reelshelf"),
            ("Title,Medium,Running Time,Jahr", "reelshelf"),
            ("title,length,item_type,rating", "libib"),
            ("title,length,rating", "reelshelf"),
            ("title,genres,movieId,releaseYear", "reelshelf"),
            ("rating", "reelshelf"),
        ] {
            assert_eq!(report(service, "", format!("{header}\n")).await["source"], source, "{header}");
        }
    }
}

on_both! {
    async fn our_own_layout_is_strict_but_for_lengths(service: &Service) {
        let file = "title,movieFormat,length,releaseYear,rating\n\
            \"Tom &amp; Jerry, The (1999)\",DVD,2h50,1995,5\nHeat,dvd,170,1995,5\nHeat,DVD,170,1995,\"4,5\"\n\
            Heat,DVD,170,1995-12-15,3.5\n\"Two\nlines\",DVD,170,1995,0\nAlien,VHS,1:57:30,1979,4.0\n";
        let read = report(service, "?onError=skip", file).await;
        assert_eq!(movies(service).await, ["Tom &amp; Jerry, The (1999)|DVD|170|1995|5", "Alien|VHS|118|1979|4"]);
        assert_eq!(notes(&read), ["8 length rounded 1:57:30: became 118"]);
        let fields: Vec<_> = read["errors"].as_array().unwrap().iter().map(|e| (&e["line"], &e["field"])).collect();
        let expected = [(3, "movieFormat"), (4, "rating"), (5, "releaseYear"), (5, "rating"), (6, "title"), (6, "rating")];
        assert_eq!(json!(fields), json!(expected));
        let row = r#"{"title":"Heat","movieFormat":"DVD","length":"2h50","releaseYear":1995,"rating":5}"#;
        service.import("application/x-ndjson", "", row).await.problem(422);
    }
}

on_both! {
    async fn the_first_thousand_notes_of_a_kind_are_kept_and_the_counts_are_whole(service: &Service) {
        let rows = (0..1001).map(|n| format!("Film {n},DVD,90,2000,\n")).collect::<Vec<_>>().concat();
        let file = format!("title,movieFormat,length,releaseYear,rating\n{rows}Odd,DVD,1:00:01,2000,1\nBad,DVD,1:00:01,2000,9\n");
        let read = report(service, "?onError=skip&default=rating:3", file.clone()).await;
        assert_eq!(read["noted"], json!({"defaulted": 1001, "rounded": 1}), "a refused row has errors and no notes");
        assert_eq!(read["notes"].as_array().unwrap().len(), 1001);
        assert_eq!(
            read["notes"][0],
            json!({"line": 2, "title": "Film 0", "releaseYear": "2000", "field": "rating", "kind": "defaulted", "detail": "is missing, became 3", "value": null, "became": 3})
        );
        let twice = report(service, "?onError=skip&default=rating:3&dryRun=true", file.clone()).await;
        assert_eq!(twice["noted"]["skipped"], 1002);
        // Nothing was stored, so nothing was skipped.
        let aborted = service.import("text/csv", "?default=rating:3", file).await.problem(422)["report"].clone();
        assert_eq!((&aborted["skipped"], &aborted["noted"]["skipped"]), (&json!(0), &json!(null)));
        assert_eq!(aborted["noted"]["defaulted"], 1001);
    }
}
