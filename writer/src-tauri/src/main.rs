// On Windows a program with windows of its own needs no console.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    extrophi_desktop::run();
}
