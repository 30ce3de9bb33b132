package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

// space signs the patient in on the web, as any program could, and awaits an item
// of a list for which ok holds. It returns the path of the item's page.
func (w *walk) space(ctx context.Context, list, field string, ok func(map[string]any) bool) (string, error) {
	config, err := clientConfig(w.ready.Authority.CAFile, Person{})
	if err != nil {
		return "", err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{
		Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer browser.CloseIdleConnections()
	base := "https://" + w.patients.HTTPS
	answer, err := browser.PostForm(base+"/login", url.Values{"web_login": {w.patient.WebLogin}, "web_password": {w.patient.WebPassword}})
	if err != nil {
		return "", err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("sign-in answered %s", answer.Status)
	}
	for range 200 {
		id, err := find(ctx, browser, base+list, field, ok)
		if err != nil || id != "" {
			return list + "/" + id, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "", errors.New("nothing came within 10 s: look into the operators' log.jsonl")
}

// find returns the id of the first item of a list for which ok holds, "" for none.
func find(ctx context.Context, browser *http.Client, address, field string, ok func(map[string]any) bool) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "application/json")
	answer, err := browser.Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the list answered %s", answer.Status)
	}
	var lists map[string]json.RawMessage
	if err := json.NewDecoder(answer.Body).Decode(&lists); err != nil {
		return "", err
	}
	var items []map[string]any
	if err := json.Unmarshal(lists[field], &items); err != nil {
		return "", err
	}
	for _, item := range items {
		if id, named := item["id"].(string); named && ok(item) {
			return id, nil
		}
	}
	return "", nil
}
