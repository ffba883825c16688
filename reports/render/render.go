// Package render writes reports in the formats that people and other programs read: text, Markdown, HTML, JUnit's XML, Prometheus'
// text format and Go's benchmark format. Every number and every word comes from the report. The package must not know how anything
// was measured or judged, nor what any service or stage is called.
package render
