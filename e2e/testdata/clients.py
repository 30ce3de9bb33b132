"""A professional's day with Python's own smtplib and imaplib.

argv: a JSON object with ca, submission, imaps, imap, login, password, cert, key.
"""
import imaplib
import json
import smtplib
import ssl
import sys
import time

w = json.loads(sys.argv[1])


def context():
    c = ssl.create_default_context(cafile=w["ca"])
    c.load_cert_chain(w["cert"], w["key"])
    return c


def check(ok, what):
    if not ok:
        sys.exit("python: " + what)


host, port = w["submission"].split(":")
s = smtplib.SMTP(host, int(port), local_hostname="poste.example")
s.starttls(context=context())
s.ehlo()
check(s.has_extn("SIZE") and s.has_extn("SMTPUTF8") and s.has_extn("DSN"), "extensions")
s.login(w["login"], w["password"])
letter = (
    "From: <%s>\r\nTo: <%s>\r\nSubject: depuis python\r\nMessage-ID: <py-1@e2e.example>\r\n"
    "Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n\r\n.point\r\n" % (w["login"], w["login"])
)
s.sendmail(w["login"], [w["login"]], letter)
s.quit()

host, port = w["imap"].split(":")
i = imaplib.IMAP4(host, int(port))
i.starttls(ssl_context=context())
i.login(w["login"], w["password"])
check(i.select("INBOX")[0] == "OK", "select")
typ, data = i.search(None, 'SUBJECT', '"depuis python"')
check(data[0].split() == [b"1"], "search: %r" % data)
typ, data = i.fetch("1", "(FLAGS RFC822.SIZE BODY.PEEK[TEXT])")
check(data[0][1] == b".point\r\n", "text: %r" % (data,))
check(i.store("1", "+FLAGS", r"(\Seen \Flagged)")[0] == "OK", "store")
typ, data = i.append("Drafts", r"(\Draft)", imaplib.Time2Internaldate(time.time()), letter.encode())
check(typ == "OK", "append: %r" % (data,))
check(i.copy("1", "Archive")[0] == "OK", "copy")
typ, data = i.status("Archive", "(MESSAGES UNSEEN)")
check(b"MESSAGES 1" in data[0] and b"UNSEEN 0" in data[0], "status: %r" % data)
check(i.select("Drafts")[0] == "OK", "select drafts")
typ, data = i.fetch("1", "(BODY[])")
check(data[0][1] == letter.encode(), "the appended letter changed: %r" % (data,))
check(i.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK" and i.expunge()[0] == "OK", "expunge")
i.logout()

# By certificate alone.
host, port = w["imaps"].split(":")
i = imaplib.IMAP4_SSL(host, int(port), ssl_context=context())
typ, data = i.authenticate("EXTERNAL", lambda _: w["login"].encode())
check(typ == "OK", "external: %r" % (data,))
check(i.select("Archive", readonly=True)[0] == "OK", "examine")
try:
    typ, _ = i.store("1", "+FLAGS", r"(\Deleted)")
    check(typ == "NO", "a store after EXAMINE answered %s" % typ)
except imaplib.IMAP4.readonly:
    pass
i.logout()
print("ok")
