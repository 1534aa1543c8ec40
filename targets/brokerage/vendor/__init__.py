"""The certificate vendor: another company, which issues certificates and scans from outside what is served."""
