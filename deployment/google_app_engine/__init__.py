"""Google App Engine, standard environment: what ``gcloud app deploy`` wants to find at the root."""
