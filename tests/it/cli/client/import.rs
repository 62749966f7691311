//! `import`: files, pipes and archives, with what was refused in a file of its own.

use std::{fs, io::Write};

use serde_json::{Value, json};

use super::{environment, json, reelshelf, reelshelf_with};
use crate::{
    on_both,
    support::{
        films::{films, ndjson},
        terminal::Terminal,
    },
};

const GOOD: &str = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\nAlien,VHS,117,1979,4\n";
const BAD: &str = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\nAlien,VHS,117,1979,9\n";
const RATINGS: &str = "Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,Stalker,1979,https://boxd.it/1,4.5\n";

/// A folder with a file.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        fs::write(folder.path(name), text).expect("a file");
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path").to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }
}

on_both! {
    async fn csv_and_ndjson_come_from_files_and_pipes(service: &Service) {
        let folder = Folder::with("films.csv", GOOD);
        let printed = reelshelf(service, &["import", &folder.path("films.csv")]).expect(0);
        assert_eq!(printed.out, "2 rows read: 2 added, 0 updated, 0 skipped, 0 rejected.\n\nThis is change 1; `reelshelf undo 1` undoes it.\n");
        assert_eq!(printed.err, "");
        let again = json(&reelshelf_with(service, &["import", "-", "--json"], GOOD).expect(0));
        assert_eq!((&again["skipped"], &again["change"]), (&json!(2), &json!(null)));
        let more = reelshelf_with(service, &["import", "--on-duplicate", "add", "-"], ndjson(&films(1000))).expect(0);
        assert!(more.out.starts_with("1,000 rows read: 1,000 added"), "{}", more.out);
        assert_eq!(service.get("/stats").await.json()["movies"], 1002);
        for (input, words) in [(&b""[..], "is empty, or no text"), (b"PK\x03\x04 and no more", "cannot be read")] {
            reelshelf_with(service, &["import", "-"], input).refused(words);
        }
        reelshelf(service, &["import", "no-such-file"]).refused("no-such-file cannot be read");
    }
}

on_both! {
    async fn options_say_how_foreign_columns_are_read(service: &Service) {
        let file = "Film;Jahr;Medium\nStalker;1979;VHS\nPersona;1966;Blu-ray\n";
        let import = ["import", "-", "--map", "title:Film", "--map", "releaseYear:Jahr", "--map", "movieFormat:Medium"];
        let more = ["--map-format", "Blu-ray:DVD", "--default", "length:90", "--default", "rating:3"];
        reelshelf_with(service, &[&import[..], &more].concat(), file).expect(0);
        assert_eq!(service.titles("/movie").await, ["Stalker", "Persona"]);
        for wrong in [
            ["--map", "colour:Farbe"], ["--map", "title"], ["--default", "colour:red"], ["--default", "rating:9"], ["--map-format", "Blu-ray:CD"],
            ["--source", "other"], ["--on-error", "stop"], ["--on-duplicate", "x"], ["--title-too-long", "x"], ["--user", "1"],
        ] {
            let refused = reelshelf_with(service, &[&["import", "-"], &wrong[..]].concat(), GOOD).expect(2);
            assert!(refused.err.contains(wrong[0]), "{}", refused.err);
        }
    }
}

on_both! {
    async fn a_bad_row_keeps_all_from_being_stored_and_is_shown(service: &Service) {
        let aborted = reelshelf_with(service, &["import", "-"], BAD).expect(1);
                let printed = "Nothing was stored: 1 of 2 rows rejected.\n--on-error skip leaves them out and imports the others (1), except duplicates.\n\nRejected (1):\n  rating must be between 1 and 5, got 9; --rating-scale 10 reads ratings up to 10\n    3  Alien (1979)\n";
        assert_eq!(aborted.out, printed);
        assert_eq!(aborted.err, "reelshelf: 1 of 2 rows rejected; nothing was stored\n");
        assert_eq!(json(&reelshelf_with(service, &["import", "-", "--json"], BAD).expect(1))["failed"], 1);
        assert_eq!(service.get("/movie").await.json(), json!([]));

        let many: String = GOOD.to_owned() + &"x,DVD,90,1999,9\n".repeat(21);
        let printed = reelshelf_with(service, &["import", "-", "--on-error", "skip"], many).expect(0).out;
        assert!(printed.contains("Rejected (21):\n") && printed.contains("  and more; --json lists them"), "{printed}");
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien"]);
    }
}

on_both! {
    async fn refused_rows_are_mended_and_imported_again(service: &Service) {
        let folder = Folder::with("films.csv", BAD);
        let import = ["import", &folder.path("films.csv"), "--rejects", &folder.path("bad.csv")];
        let done = reelshelf(service, &import).expect(0);
        assert!(done.err.contains("1 row rejected, with the reasons: "), "{}", done.err);
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        let bad = folder.read("bad.csv");
        assert_eq!(bad.lines().count(), 2, "{bad}");
        assert!(bad.contains("Alien,VHS,117,1979,9,\"rating must be between 1 and 5, got 9; "), "{bad}");

        reelshelf(service, &import).refused("bad.csv is there already; --force replaces it");
        reelshelf(service, &[&import[..], &["--force"]].concat()).expect(0);
        fs::write(folder.path("bad.csv"), bad.replace(",9,", ",4,")).expect("a file");
        let mended = ["import", &folder.path("bad.csv"), "--rejects", &folder.path("worse.csv")];
        assert!(reelshelf(service, &mended).expect(0).err.contains("No row was rejected"));
        assert!(!fs::exists(folder.path("worse.csv")).expect("a folder"));
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien"]);

        let aborting = [&import[..], &["--force", "--on-error", "abort", "--on-duplicate", "add"]].concat();
        reelshelf(service, &aborting).expect(1);
        assert_eq!(service.titles("/movie").await.len(), 2);
        std::os::unix::fs::symlink("bad.csv", folder.path("link.csv")).expect("a link");
        let to_link = ["import", &folder.path("films.csv"), "--rejects", &folder.path("link.csv"), "--on-duplicate", "add"];
        reelshelf(service, &to_link).refused("link.csv is there already; --force replaces it");
        reelshelf(service, &[&to_link[..], &["--force"]].concat()).expect(0);
        assert!(fs::symlink_metadata(folder.path("link.csv")).expect("a link").is_symlink());
        assert!(folder.read("bad.csv").contains("rating must be between 1 and 5, got 9"));
        fs::remove_file(folder.path("link.csv")).expect("a link");

        let nowhere = folder.path("no/such/folder.csv");
        reelshelf(service, &["import", &folder.path("films.csv"), "--rejects", &nowhere]).refused("cannot be written");
        assert_eq!(fs::read_dir(folder.0.path()).expect("a folder").count(), 2, "and nothing temporary");
    }
}

on_both! {
    async fn a_letterboxd_archive_is_read_as_it_is_downloaded(service: &Service) {
        let folder = Folder::with("unused", "");
        let mut archive = zip::ZipWriter::new(fs::File::create(folder.path("letterboxd.zip")).expect("a file"));
        for (name, text) in [("ratings.csv", RATINGS), ("deleted/ratings.csv", &RATINGS.replace("Stalker", "Gone")), ("watchlist.csv", &RATINGS.replace("Stalker", "Wish"))] {
            archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a file");
            archive.write_all(text.as_bytes()).expect("its text");
        }
        archive.finish().expect("an archive");
        let import = ["import", &folder.path("letterboxd.zip"), "--default", "movieFormat:DVD"];
        let refused = reelshelf(service, &import).expect(1);
        let reason = "  length is missing, and there is no default for it (--default length:VALUE)\n    ratings.csv:2  Stalker (1979)\n";
        assert!(refused.out.contains(reason), "{}", refused.out);
        let done = reelshelf(service, &[&import[..], &["--default", "length:0"]].concat()).expect(0);
        assert!(done.out.contains("Numbers rounded (1):"), "{}", done.out);
        assert!(done.out.contains("The watchlist, films that you want to see, is not imported; --watchlist includes it."), "{}", done.out);
        let again = reelshelf(service, &[&import[..], &["--default", "length:0"]].concat()).expect(0).out;
        assert!(again.contains("Skipped (1):\n  is in the collection already\n    ratings.csv:2  Stalker (1979) as film 1\n"), "{again}");
        let whole = reelshelf(service, &[&import[..], &["--default", "length:0", "--watchlist", "--dry-run"]].concat()).expect(0).out;
        assert!(whole.contains("watchlist.csv:2") && !whole.contains("is not imported"), "{whole}");
        let stalker = service.get("/movie/1").await.json();
        assert_eq!((&stalker["title"], &stalker["rating"]), (&json!("Stalker"), &json!(5)));
        assert_eq!(service.titles("/movie").await.len(), 1);
    }
}

on_both! {
    async fn movielens_films_get_the_ratings_beside_them(service: &Service) {
        let folder = Folder::with("movies.csv", "movieId,title,genres\n1,\"Matrix, The (1999)\",Action\n");
        fs::write(folder.path("ratings.csv"), "userId,movieId,rating,timestamp\n1,1,2.0,0\n2,1,5.0,0\n").expect("a file");
        let import = ["import", &folder.path("movies.csv"), "--ratings", &folder.path("ratings.csv"), "--user", "2"];
        reelshelf(service, &[&import[..], &["--default", "movieFormat:VHS", "--default", "length:136"]].concat()).expect(0);
        let matrix = service.get("/movie/1").await.json();
        assert_eq!((&matrix["title"], &matrix["rating"]), (&json!("The Matrix"), &json!(5)));
    }
}

on_both! {
    async fn a_dry_run_stores_nothing_and_a_terminal_shows_how_far_it_is(service: &Service) {
        let tried = reelshelf_with(service, &["import", "-", "--dry-run"], GOOD).expect(0).out;
        assert!(tried.contains("2 rows read: 2 added, 0 updated, 0 skipped, 0 rejected. This was a dry run; nothing was stored.\n"), "{tried}");
        let rows: Vec<Vec<&str>> = tried.lines().skip(1).take(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!((rows[0][..2].to_vec(), rows[1][..2].to_vec()), (vec!["2", "created"], vec!["3", "created"]), "{tried}");
        assert_eq!(service.get("/movie").await.json(), json!([]));
        let folder = Folder::with("films.ndjson", ndjson(&films(3000)));
        let import = ["import", &folder.path("films.ndjson"), "--on-duplicate", "add"];
        let shown = Terminal::start(80, &import, &environment(service)).ended().expect(0).out;
        assert!(shown.contains("Sending") && shown.contains("3,000 added"), "{shown}");
    }
}

/// Ten films without a format, as Letterboxd writes them.
fn ten_ratings() -> String {
    let rows =
        (0..10).map(|n| format!("2020-01-01,Film {n},{},https://boxd.it/{n},{}\n", 1990 + n, n % 5 + 1));
    format!("Date,Name,Year,Letterboxd URI,Rating\n{}", rows.collect::<String>())
}

on_both! {
    async fn fields_have_the_names_of_the_options_or_of_the_api(service: &Service) {
        let file = "Film;Jahr;Laufzeit\nStalker;1979;163\n";
        let short = ["--map", "title:Film", "--map", "year:Jahr", "--map", "length:Laufzeit", "--default", "format:VHS", "--default", "rating:5"];
        reelshelf_with(service, &[&["import", "-"], &short[..]].concat(), file).expect(0);
        let long = short.map(|text| text.replace("year:", "releaseYear:").replace("format:", "movieFormat:"));
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let again = reelshelf_with(service, &[&["import", "-"], &long[..]].concat(), file).expect(0).out;
        assert!(again.contains("1 skipped"), "{again}");
        assert_eq!(service.get("/movie/1").await.json()["releaseYear"], 1979);
        let unknown = reelshelf_with(service, &["import", "-", "--map", "colour:Farbe"], file).expect(2).err;
        assert!(unknown.contains("must name one of title, format, length, year, rating"), "{unknown}");
        let early = reelshelf_with(service, &["import", "-", "--default", "releaseYear:1700"], file).expect(2).err;
        assert!(early.contains("--default releaseYear:1700: year must be between"), "{early}");
        let imdb = reelshelf_with(service, &["import", "-", "--source", "imdb"], file).expect(1).err;
        assert!(imdb.contains("\"Title\" and \"Title Type\", which --source imdb needs"), "{imdb}");
        let foreign = reelshelf_with(service, &["import", "-"], "Film;Jahr (Kino)\nStalker;1979\n").expect(1).err;
        assert!(foreign.ends_with("--map FIELD:COLUMN, such as --map title:Film, --map 'year:Jahr (Kino)'\n"), "{foreign}");
    }
}

on_both! {
    async fn ratings_of_another_scale_are_converted(service: &Service) {
        let ten = GOOD.replace(",5\n", ",9\n").replace(",4\n", ",7\n");
        reelshelf_with(service, &["import", "-", "--rating-scale", "10"], &ten).expect(0);
        let ratings = service.get("/movie").await.json();
        assert!(ratings.as_array().expect("films").iter().all(|film| [4, 5].map(Value::from).contains(&film["rating"])), "{ratings}");
        for scale in ["1", "101", "ten"] {
            let refused = reelshelf_with(service, &["import", "-", "--rating-scale", scale], GOOD).expect(2).err;
            assert!(refused.contains("must be a whole number from 2 to 100"), "{refused}");
        }
    }
}

on_both! {
    async fn a_spreadsheet_is_refused_with_how_to_save_it(service: &Service) {
        for (name, parts, said) in [
            ("films.xlsx", &["_rels/.rels", "xl/workbook.xml", "[Content_Types].xml"][..], "films.xlsx cannot be read: the file is an Excel workbook; save it as CSV UTF-8"),
            ("films.ods", &["mimetype", "content.xml"], "is an OpenDocument spreadsheet; save it as CSV"),
            ("films.numbers", &["Index/Document.iwa"], "is a Numbers spreadsheet; save it as CSV"),
            ("films.zip", &["films.csv"], "the archive holds no films of a Letterboxd account"),
        ] {
            let folder = Folder::with("unused", "");
            let mut archive = zip::ZipWriter::new(fs::File::create(folder.path(name)).expect("a file"));
            for part in parts {
                archive.start_file(*part, zip::write::SimpleFileOptions::default()).expect("a part");
                archive.write_all(&[b'x'; 5000]).expect("its content");
            }
            archive.finish().expect("an archive");
            reelshelf(service, &["import", &folder.path(name)]).refused(said);
        }
    }
}

on_both! {
    async fn a_reason_is_told_once_with_the_films_that_it_refuses(service: &Service) {
        let refused = reelshelf_with(service, &["import", "-"], ten_ratings()).expect(1).out;
        assert!(refused.starts_with("Nothing was stored: 10 of 10 rows rejected.\n\nRejected (10):\n"), "{refused}");
        assert_eq!(refused.matches("--default format:VALUE").count(), 1, "{refused}");
        assert!(refused.contains("    2  Film 0 (1990)\n    3  Film 1 (1991)\n"), "{refused}");
        let tried = reelshelf_with(service, &["import", "-", "--dry-run", "--on-error", "skip"], ten_ratings()).expect(0).out;
        assert!(tried.lines().any(|line| line.contains("rejected") && line.contains("Film 0") && line.contains("1990")), "{tried}");
        let filled = ["import", "-", "--default", "format:DVD", "--default", "length:0"];
        let done = reelshelf_with(service, &filled, ten_ratings()).expect(0).out;
        assert!(done.contains("  format is missing, became \"DVD\": 10 rows\n"), "{done}");
    }
}

on_both! {
    async fn a_terminal_is_asked_for_what_the_file_lacks(service: &Service) {
        let folder = Folder::with("ratings.csv", ten_ratings());
        let import = ["import", &folder.path("ratings.csv")];
        let mut terminal = Terminal::start(200, &import, &environment(service));
        terminal.answer("10 films without a format. Format (VHS, DVD, Streaming):", "blu-ray");
        terminal.await_text("It must be VHS, DVD or Streaming");
        terminal.answer("Format (VHS, DVD, Streaming):", "dvd");
        terminal.answer("10 films without a length.", "0");
        terminal.await_text("The same as options: --default format:DVD --default length:0");
        let done = terminal.ended().expect(0).out;
        assert!(done.contains("10 added"), "{done}");
        assert_eq!(service.get("/movie/1").await.json()["movieFormat"], "DVD");

        let media = "title,movieFormat,length,releaseYear,rating\nHeat,Blu-ray,170,1995,5\nAlien,Laserdisc,117,1979,4\n";
        fs::write(folder.path("media.csv"), media).expect("a file");
        let mut terminal = Terminal::start(200, &["import", &folder.path("media.csv")], &environment(service));
        terminal.answer("1 film on \"Blu-ray\". Format", "DVD");
        terminal.answer("1 film on \"Laserdisc\". Format", "");
        let refused = terminal.ended().expect(1).out;
        assert!(refused.contains("Nothing was stored: 1 of 2 rows rejected."), "{refused}");
        // A program asks for JSON, and is asked nothing.
        let printed = Terminal::start(200, &["import", &folder.path("media.csv"), "--json"], &environment(service)).ended().expect(1).out;
        assert!(!printed.contains("Format (VHS"), "{printed}");
        assert_eq!(service.titles("/movie").await.len(), 10);
    }
}
