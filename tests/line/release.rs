//! `release_all`.

use evkit_hil::line::release_all;

use crate::board::{Board, Manner, socket_line};

#[test]
fn every_line_is_released_and_each_error_is_its_own() {
    let (good, bad) = (Board::new(), Board::with(|_, _| Manner::Says("error no power\n")));
    let lines = [
        ("first".to_owned(), bad.config()),
        ("second".to_owned(), socket_line("/nonexistent/board".as_ref())),
        ("third".to_owned(), good.config()),
    ];
    let results = release_all(&lines);
    let names: Vec<_> = results.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert!(matches!(&results[0].1, Err(e) if e.to_string().ends_with("refused `reset release`: no power")));
    assert!(matches!(&results[1].1, Err(e) if e.to_string().contains("/nonexistent/board is not there")));
    assert!(results[2].1.is_ok());
    assert_eq!(good.lines(), ["reset release"]);
}
