package agenda

import "strings"

// microsoftZones pairs the names of Windows with the IANA zone of their main place,
// for the zones of France and its overseas territories, their neighbours, and what
// mail clients send most (Unicode CLDR, windowsZones). A message that names another
// one mostly defines it too.
const microsoftZones = `
Romance Standard Time=Europe/Paris
W. Europe Standard Time=Europe/Berlin
Central Europe Standard Time=Europe/Budapest
Central European Standard Time=Europe/Warsaw
GMT Standard Time=Europe/London
Greenwich Standard Time=Atlantic/Reykjavik
E. Europe Standard Time=Europe/Chisinau
FLE Standard Time=Europe/Kiev
GTB Standard Time=Europe/Bucharest
Turkey Standard Time=Europe/Istanbul
Russian Standard Time=Europe/Moscow
Morocco Standard Time=Africa/Casablanca
W. Central Africa Standard Time=Africa/Lagos
South Africa Standard Time=Africa/Johannesburg
E. Africa Standard Time=Africa/Nairobi
Egypt Standard Time=Africa/Cairo
Israel Standard Time=Asia/Jerusalem
Middle East Standard Time=Asia/Beirut
Arab Standard Time=Asia/Riyadh
Arabian Standard Time=Asia/Dubai
Mauritius Standard Time=Indian/Mauritius
India Standard Time=Asia/Kolkata
SE Asia Standard Time=Asia/Bangkok
China Standard Time=Asia/Shanghai
Singapore Standard Time=Asia/Singapore
Tokyo Standard Time=Asia/Tokyo
AUS Eastern Standard Time=Australia/Sydney
Central Pacific Standard Time=Pacific/Guadalcanal
New Zealand Standard Time=Pacific/Auckland
UTC+12=Etc/GMT-12
Hawaiian Standard Time=Pacific/Honolulu
Marquesas Standard Time=Pacific/Marquesas
UTC-09=Etc/GMT+9
Saint Pierre Standard Time=America/Miquelon
SA Western Standard Time=America/La_Paz
SA Eastern Standard Time=America/Cayenne
Atlantic Standard Time=America/Halifax
Eastern Standard Time=America/New_York
US Eastern Standard Time=America/Indianapolis
Central Standard Time=America/Chicago
Mountain Standard Time=America/Denver
US Mountain Standard Time=America/Phoenix
Pacific Standard Time=America/Los_Angeles
Argentina Standard Time=America/Buenos_Aires
E. South America Standard Time=America/Sao_Paulo
Azores Standard Time=Atlantic/Azores
Coordinated Universal Time=UTC
`

// microsoft returns the IANA name of a Windows zone.
func microsoft(name string) (string, bool) {
	if name == "" || strings.ContainsAny(name, "=\n") {
		return "", false
	}
	_, rest, found := strings.Cut(microsoftZones, "\n"+name+"=")
	iana, _, _ := strings.Cut(rest, "\n")
	return iana, found
}
