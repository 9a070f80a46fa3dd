package table

import (
	"bytes"
	"strings"
)

const (
	zipMagic = "PK\x03\x04"
	oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// strange names what a file is that is no table of ours, whatever its name
// says; "" for what may be one.
func strange(raw []byte) string {
	head := raw[:min(len(raw), 4096)]
	switch {
	case len(raw) == 0:
		return "the file is empty"
	case bytes.HasPrefix(head, []byte(oleMagic)):
		return "an Excel 97-2003 workbook (.xls) or one with a password: save it as .xlsx without a password"
	case bytes.HasPrefix(head, []byte("%PDF")):
		return "a PDF document"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("7z\xbc\xaf")), bytes.HasPrefix(head, []byte("Rar!")):
		return "a packed file: unpack it first"
	}
	return strangeText(head)
}

// strangeText names markup that systems write under a spreadsheet's name.
func strangeText(head []byte) string {
	text := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(plainText(head), "\ufeff")))
	for _, form := range []struct{ begins, has, what string }{
		{"<?xml", "urn:schemas-microsoft-com:office:spreadsheet", "an Excel 2003 XML table: save it as .xlsx"},
		{"<?xml", "<html", "a web page: open it in a spreadsheet and save it as .xlsx"},
		{"<?xml", "", "an XML document"},
		{"<!doctype html", "", "a web page: open it in a spreadsheet and save it as .xlsx"},
		{"<html", "", "a web page: open it in a spreadsheet and save it as .xlsx"},
		{"<table", "", "a web page: open it in a spreadsheet and save it as .xlsx"},
		{"<meta", "", "a web page: open it in a spreadsheet and save it as .xlsx"},
		{"{\\rtf", "", "a text document"},
	} {
		if strings.HasPrefix(text, form.begins) && strings.Contains(text, form.has) {
			return form.what
		}
	}
	return ""
}

// plainText drops the zero bytes that UTF-16 puts beside ASCII, which is enough
// to know markup by.
func plainText(head []byte) string {
	if len(head) >= 2 && (head[0] == 0xff && head[1] == 0xfe || head[0] == 0xfe && head[1] == 0xff) {
		return string(bytes.ReplaceAll(head[2:], []byte{0}, nil))
	}
	return string(head)
}
