package console

// The lines that a person copies into a terminal. They are the README's.

func setUpLines(address string) string {
	return "export TURNO=" + address + "/v1 TOKEN='<token>'\n" +
		`api() { curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; }`
}

func departmentLines() string { return `api -X PUT $TURNO/departments/support -d '{"name":"Support"}'` }

func channelLines() string {
	return `api -X PUT $TURNO/channels/web -d '{"type":"generic","name":"Web","department":"support"}'`
}

func operatorLines() string {
	return `api -X PUT $TURNO/operators/nora -d '{"name":"Nora","role":"operator","departments":["support"]}'`
}

func tokenLines() string { return `api -X POST $TURNO/operators/nora/tokens -d '{}'` }

func messageLines() string {
	return `api $TURNO/channels/web/messages -d '{"message_id":"1","from":{"address":"+1 555 0100","name":"Carla"},"text":"Hello"}'`
}

func demoLines(address string) string { return "turno demo --url " + address + ` --token "$TOKEN"` }

func issueLines(address string) string { return setUpLines(address) + "\n" + tokenLines() }
