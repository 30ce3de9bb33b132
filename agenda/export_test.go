package agenda

// MicrosoftZones is the table of Windows zones.
const MicrosoftZones = microsoftZones
