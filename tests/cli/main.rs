//! The command line, end to end: the real program in processes of its own, on virtual EVKITs that are processes of their own.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../xml/mod.rs"]
mod xml;

mod bench;
mod diagnose;
mod doctor;
mod files;
mod health;
mod locks;
mod manual;
mod order;
mod place;
mod ports;
mod release;
mod run;
mod signals;
mod sim;
mod steps;
mod virtual_board;
