//! `list`, `search`, `show`, `pick`, `stats`: looking at films.

use serde_json::json;

use super::{environment, exported, json, reelshelf, three_films};
use crate::{
    on_both,
    support::{
        films::{fill, films},
        program::{run_unread, run_with},
        terminal::Terminal,
    },
};

const TABLE: &str = "\
id  title    format  length  year  rating
 1  Heat     DVD     2 h 50  1995  ★★★★★
 2  Alien    VHS     1 h 57  1979  ★★★★☆
 3  Alien 3  DVD     1 h 54  1992  ★★☆☆☆
";

on_both! {
    async fn a_list_is_a_table_json_or_csv(service: &Service) {
        let none = reelshelf(service, &["list"]).expect(0);
        assert_eq!((none.out.as_str(), none.err.as_str()), ("", "No films.\n"));
        assert_eq!(json(&reelshelf(service, &["list", "--json"]).expect(0)), json!([]));
        three_films(service).await;
        let table = reelshelf(service, &["list"]).expect(0);
        assert_eq!((table.out.as_str(), table.err.as_str()), (TABLE, ""));
        assert_eq!(json(&reelshelf(service, &["list", "--json"]).expect(0)), service.get("/movie").await.json());
        let csv = reelshelf(service, &["list", "--csv"]).expect(0).out;
        assert_eq!(csv, exported(service, "text/csv").await);
        reelshelf(service, &["list", "--csv", "--json"]).expect(2);
    }
}

on_both! {
    async fn filters_sort_and_limit_choose_what_is_listed(service: &Service) {
        three_films(service).await;
        let ids = |arguments: &[&str]| {
            let films = json(&reelshelf(service, &[arguments, &["--json"]].concat()).expect(0));
            let ids = films.as_array().expect("films").iter().map(|film| film["id"].as_i64().expect("an id"));
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(&["list", "--format", "vhs", "--format", "Streaming"]), [2]);
        assert_eq!(ids(&["list", "--rating", "4.."]), [1, 2]);
        assert_eq!(ids(&["list", "--length", "1h55..2h"]), [2]);
        assert_eq!(ids(&["list", "--year", "1990..1999", "--sort", "-year"]), [1, 3]);
        assert_eq!(ids(&["list", "--sort", "-rating,title", "--limit", "2"]), [1, 2]);
        assert_eq!(ids(&["search", "ali", "3"]), [3]);
        assert_eq!(ids(&["search", "nothing"]), [] as [i64; 0]);
        for wrong in [
            ["--rating", "6"], ["--rating", "5..4"], ["--length", "9h"], ["--year", "1799"], ["--format", "Blu-ray"],
            ["--sort", "colour"], ["--limit", "0"], ["--limit", "x"], ["--colour", "x"],
        ] {
            let refused = reelshelf(service, &[&["list"], &wrong[..]].concat()).expect(2);
            assert!(refused.out.is_empty() && refused.err.contains(wrong[0]), "{refused:?}");
        }
        reelshelf(service, &["search"]).expect(2);
        reelshelf(service, &["search", &"x".repeat(201)]).expect(2);
    }
}

on_both! {
    async fn long_lists_come_whole_and_end_quietly_when_nobody_reads_on(service: &Service) {
        fill(service, &films(2500)).await;
        for form in ["--json", "--csv", "--all"] {
            let unread = run_unread(&["list", form], &environment(service)).expect(0);
            assert_eq!(unread.err, "", "{form}");
        }
        let table = reelshelf(service, &["list"]).expect(0).out;
        assert_eq!((table.lines().count(), table.matches("title").count()), (2501, 1));
        for limit in [1000, 1001, 2500, 2501] {
            let limit_text = limit.to_string();
            let limited = json(&reelshelf(service, &["list", "--json", "--limit", &limit_text]).expect(0));
            assert_eq!(limited.as_array().map(Vec::len), Some(limit.min(2500)));
            let csv = reelshelf(service, &["list", "--csv", "--limit", &limit_text]).expect(0).out;
            assert_eq!(csv.lines().count(), limit.min(2500) + 1);
        }
    }
}

on_both! {
    async fn a_terminal_shows_as_much_as_fits_and_no_colour_where_none_is_wanted(service: &Service) {
        fill(service, &films(101)).await;
        service.add(&"wide ".repeat(10), "DVD", 90, 2000, 3).await;
        let plain = [&environment(service)[..], &[("NO_COLOR", "1")]].concat();
        let shown = Terminal::start(80, &["list", "--sort", "-id"], &plain).ended().expect(0).out;
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(shown.ends_with("100 of 102 films; --all shows every one.\n"), "{shown}");
        let all = Terminal::start(80, &["list", "--all"], &plain).ended().expect(0).out;
        assert!(!all.contains("--all shows") && all.contains("102"), "{all}");
        let coloured = Terminal::start(140, &["list"], &environment(service)).ended().expect(0).out;
        assert!(coloured.contains("\u{1b}["), "{coloured}");
    }
}

on_both! {
    async fn a_film_is_shown_whole_by_its_id_or_a_search(service: &Service) {
        three_films(service).await;
        service.add("1984", "VHS", 110, 1984, 4).await;
        let heat = "Heat\n  id      1\n  year    1995\n  format  DVD\n  length  2 h 50 (170 min)\n  rating  ★★★★★\n  added   2026-11-23 20:15 UTC\n";
        assert_eq!(reelshelf(service, &["show", "1"]).expect(0).out, heat);
        assert_eq!(reelshelf(service, &["show", "hea"]).expect(0).out, heat);
        assert_eq!(json(&reelshelf(service, &["show", "1", "--json"]).expect(0)), service.get("/movie/1").await.json());
        let found = json(&reelshelf(service, &["show", "alien", "--json"]).expect(0));
        assert_eq!(found.as_array().map(Vec::len), Some(2));
        assert!(reelshelf(service, &["show", "--search", "1984"]).expect(0).out.starts_with("1984\n"));
        reelshelf(service, &["show", "1984"]).refused("there is no movie 1984");
        reelshelf(service, &["show", "zzz"]).refused("no film matches \"zzz\"");
        reelshelf(service, &["show"]).expect(2);
    }
}

on_both! {
    async fn a_film_for_tonight_fits(service: &Service) {
        three_films(service).await;
        let pick = |arguments: &[&str]| reelshelf(service, &[&["pick", "--json"], arguments].concat());
        assert_eq!(json(&pick(&["--max-length", "2h", "--format", "dvd"]).expect(0))["id"], 3);
        assert_eq!(json(&pick(&["--min-rating", "5"]).expect(0))["id"], 1);
        assert_eq!(json(&pick(&["--year", "..1980"]).expect(0))["id"], 2);
        assert!(reelshelf(service, &["pick", "--max-length", "1:55"]).expect(0).out.starts_with("Alien 3\n"));
        assert!(pick(&["--max-length", "1h"]).expect(1).err.starts_with("reelshelf: "));
        for wrong in [["--max-length", "x"], ["--min-rating", "6"]] {
            pick(&wrong).expect(2);
        }
        pick(&["--max-length", "2h", "--length", "90"]).expect(2);
    }
}

on_both! {
    async fn statistics_are_told_or_given_as_they_are(service: &Service) {
        three_films(service).await;
        let printed = reelshelf(service, &["stats"]).expect(0).out;
        for words in ["3 films\n6 h 41 in all, 2 h 14 on average\nrated 3.67 on average\n", "★★★★☆       1  █", "1990s       2  █"] {
            assert!(printed.contains(words), "{words:?}: {printed}");
        }
        let dvds = json(&reelshelf(service, &["stats", "--format", "DVD", "--json"]).expect(0));
        assert_eq!(dvds, service.get("/stats?movieFormat=DVD").await.json());
        assert!(reelshelf(service, &["stats", "--rating", "1"]).expect(0).out.starts_with("0 films\n"));
    }
}

on_both! {
    async fn a_query_means_the_same_in_every_command(service: &Service) {
        three_films(service).await;
        service.add("1984", "VHS", 110, 1984, 4).await;
        let ids = |arguments: &[&str]| {
            let films = json(&reelshelf(service, &[arguments, &["--json"]].concat()).expect(0));
            films.as_array().expect("films").iter().map(|film| film["id"].as_i64().expect("an id")).collect::<Vec<_>>()
        };
        for list in [&["list", "ali"][..], &["ls", "ali"], &["search", "ali"], &["find", "ali"], &["export", "-", "ali"], &["export", "--search", "ali"]] {
            assert_eq!(ids(list), [2, 3], "{list:?}");
        }
        assert_eq!(ids(&["list", "alien", "3"]), [3], "words are words");
        assert_eq!(json(&reelshelf(service, &["pick", "heat", "--json"]).expect(0))["id"], 1);
        assert_eq!(json(&reelshelf(service, &["stats", "alien", "--json"]).expect(0))["movies"], 2);
        assert_eq!(ids(&["list", "1984"]), [4]);
        for by_title in ["--by-title", "--search"] {
            assert_eq!(ids(&["show", by_title, "1984"]), [4]);
        }
        reelshelf(service, &["show", "1984"]).refused("to search titles for 1984, add --by-title");
        let none = reelshelf(service, &["list", "4"]).expect(0);
        assert_eq!((none.out.as_str(), none.err.as_str()), ("", "No films.\n`reelshelf show 4` shows the film with this id.\n"));
        reelshelf(service, &["list", &"x".repeat(201)]).expect(2);
        reelshelf(service, &["export", "-", "ali", "--search", "ali"]).expect(2);
        assert_eq!(ids(&["list", "--sort", "-added"]), ids(&["list", "--sort", "-createdAt"]));
        let unknown = reelshelf(service, &["list", "--sort", "title,best"]).expect(2).err;
        let names = "id, title, format, length, year, rating, added or changed";
        assert!(unknown.contains(&format!("must name {names}, each with - before it or not, got \"best\"")), "{unknown}");
        assert_eq!(ids(&["list", "--release-year", "1979", "--movie-format", "VHS"]), [2]);
    }
}

on_both! {
    async fn one_can_ask_who_one_is_and_open_a_page(service: &Service) {
        three_films(service).await;
        for name in ["whoami", "status"] {
            assert_eq!(reelshelf(service, &[name]).expect(0).out, format!("editor (editor) at {}\n", service.base));
        }
        let me = json(&reelshelf(service, &["whoami", "--json"]).expect(0));
        assert_eq!(me, json!({"name": "editor", "role": "editor", "server": service.base}));

        let folder = tempfile::tempdir().expect("a folder");
        let seen = folder.path().join("seen");
        let browser = folder.path().join("browser");
        std::fs::write(&browser, format!("#!/bin/sh\nprintf %s \"$1\" > {}\n", seen.display())).expect("a file");
        std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a mode");
        let names = format!("/nowhere:{}", browser.display());
        let with_browser = [&environment(service)[..], &[("BROWSER", &*names)]].concat();
        for (query, path) in [(&[][..], "/"), (&["heat"], "/film/1"), (&["3"], "/film/3")] {
            let done = run_with(&[&["open"], query].concat(), &with_browser).expect(0);
            let address = format!("{}{path}", service.base);
            assert_eq!((done.out, done.err.as_str()), (format!("{address}\n"), ""));
            assert_eq!(std::fs::read_to_string(&seen).expect("an address"), address);
        }
        run_with(&["open", "alien"], &with_browser).expect(1);
        let none = [&environment(service)[..], &[("BROWSER", "/nowhere")]].concat();
        let done = run_with(&["open"], &none).expect(0);
        assert!(done.err.contains("open this address yourself"), "{done:?}");
    }
}
