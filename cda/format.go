package cda

import "strings"

// Format returns the document's formatCode: for a file by its media type (CI-SIS
// ASS_A12), for a structured document by the last header template that has one
// (ASS_A11, prefix 1.2.250.1.213.1.1.1.). It is "" for another model.
func (d *Document) Format() string {
	if d.NonXML != nil {
		return fileFormat(strings.ToLower(d.NonXML.MediaType))
	}
	format := ""
	for _, root := range d.Templates {
		if model, ok := strings.CutPrefix(root, "1.2.250.1.213.1.1.1."); ok {
			format = or(modelFormat(model), format)
		}
	}
	return format
}

// fileFormat is the table ASS_A12.
func fileFormat(mediaType string) string {
	switch mediaType {
	case "application/pdf":
		return "urn:ihe:iti:xds-sd:pdf:2008"
	case "text/plain":
		return "urn:ihe:iti:xds-sd:text:2008"
	case "text/rtf":
		return "urn:ihe:iti-fr:xds-sd:rtf:2010"
	case "image/jpeg":
		return "urn:ihe:iti-fr:xds-sd:jpeg:2010"
	case "image/tiff":
		return "urn:ihe:iti-fr:xds-sd:tiff:2010"
	}
	return ""
}

// modelFormat is the table ASS_A11.
func modelFormat(model string) string {
	switch model {
	case "5.1":
		return "urn:asip:ci-sis:cse-cs8:2017"
	case "5.2":
		return "urn:asip:ci-sis:cse-cs9:2017"
	case "5.3":
		return "urn:asip:ci-sis:cse-cs24:2017"
	case "5.4":
		return "urn:ans:ci-sis:cse-mde:2023"
	case "8":
		return "urn:asip:ci-sis:frcp:2011"
	case "13":
		return "urn:asip:ci-sis:vsm:2012"
	case "21":
		return "urn:asip:ci-sis:ldl-ees:2017"
	case "29":
		return "urn:asip:ci-sis:ldl-ses:2017"
	case "36":
		return "urn:asip:ci-sis:hr:2019"
	case "37":
		return "urn:asip:ci-sis:vac:2019"
	case "38":
		return "urn:asip:ci-sis:tlm-da:2020"
	case "39":
		return "urn:ihe:pharm:pre:2010"
	case "42", "43", "44":
		return "urn:ihe:eyecare:geneyeevalcn:2014"
	case "45":
		return "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013"
	case "46":
		return "urn:asip:ci-sis:vac-note:2021"
	case "47":
		return "urn:ans:ci-sis:img-da:2022"
	case "51":
		return "urn:ihe:pcc:ips:2020"
	case "54":
		return "urn:ihe:pharm:dis:2010"
	case "55":
		return "urn:ihe:lab:xd-lab:2008"
	case "57":
		return "urn:ihe:palm:apsr:2016"
	case "59":
		return "urn:ans:ci-sis:trod:2024"
	}
	return ""
}
