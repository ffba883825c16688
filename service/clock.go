package service

import (
	"net/http"
	"strconv"
	"time"
)

// clock answers with the time in UTC, in the form of http://time.jsontest.com/, which the tutorial calls.
func clock(*http.Request, try) answer {
	now := time.Now().UTC()
	body := append(make([]byte, 0, 128), `{"date":"`...)
	body = now.AppendFormat(body, "01-02-2006")
	body = append(body, `","milliseconds_since_epoch":`...)
	body = strconv.AppendInt(body, now.UnixMilli(), 10)
	body = append(body, `,"time":"`...)
	body = now.AppendFormat(body, "03:04:05 PM")
	return answer{code: http.StatusOK, header: jsonHeader, body: append(body, "\"}\n"...)}
}
