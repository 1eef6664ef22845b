// Package webapp drives examples/webapp in a real browser: Chromium shows the page, which embeds
// with QuickSight's own embedding SDK what embedtest serves. The page's backend is the built
// program, and embedtest is in the test's process, where tests set its clock and make it fail.
package webapp
