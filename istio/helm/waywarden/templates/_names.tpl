{{- define "waywarden.labels" -}}
app.kubernetes.io/name: waywarden
{{- end }}

{{- define "waywarden.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "waywarden.waypointPrincipal" -}}
{{ .Values.config.chain.trustDomain }}/ns/{{ .Values.waypoint.namespace }}/sa/{{ .Values.waypoint.name }}
{{- end }}

{{- /* A path of the policy repository as a key of a ConfigMap, which is flat. */ -}}
{{- define "waywarden.key" -}}
{{ replace "/" "__" . }}
{{- end }}
