"""A session of Python's imaplib: arguments are port, CA file, user, password."""
import imaplib
import ssl
import sys
import time

port, ca, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
letter = b"Subject: from imaplib\r\nFrom: a@b.example\r\n\r\nBody \xe9\r\nlast\r\n"


def ok(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


with imaplib.IMAP4_SSL("localhost", port, ssl_context=context) as c:
    ok(c.login(user, password))
    capabilities = ok(c.capability())[0].split()
    assert b"IDLE" in capabilities and b"UIDPLUS" in capabilities, capabilities
    assert ok(c.select("INBOX")) == [b"2"]
    ok(c.append("INBOX", r"(\Flagged $Label1)", imaplib.Time2Internaldate(time.time()), letter))
    assert ok(c.search(None, "FLAGGED")) == [b"3"]
    data = ok(c.fetch("3", "(FLAGS UID BODY.PEEK[])"))
    assert data[0][1] == letter, data
    assert b"\\Flagged" in data[1] or b"\\Flagged" in data[0][0], data
    ok(c.create("Dossier/Sous"))
    ok(c.subscribe("Dossier/Sous"))
    assert any(b"Dossier/Sous" in line for line in ok(c.list())), c.list()
    ok(c.uid("COPY", "3", "Dossier/Sous"))
    ok(c.store("1", "+FLAGS.SILENT", r"(\Deleted)"))
    assert ok(c.expunge()) == [b"1"]
    assert ok(c.uid("MOVE", "3", "Trash")) is not None
    assert ok(c.status("Trash", "(MESSAGES)")) == [b'"Trash" (MESSAGES 1)'], c.status("Trash", "(MESSAGES)")
    assert ok(c.uid("SEARCH", "SUBJECT", '"two"')) == [b"2"]
    ok(c.rename("Dossier", "Autre"))
    ok(c.delete("Autre/Sous"))
    ok(c.noop())
    ok(c.close())
    c.logout()

with imaplib.IMAP4("localhost", int(sys.argv[5])) as c:
    assert "LOGINDISABLED" in c.capabilities
    ok(c.starttls(ssl_context=context))
    ok(c.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode()))
    assert ok(c.select("INBOX", readonly=True)) == [b"1"]
print("imaplib: fine")
