from aws_cdk import App
from segments import CustomerSegments

app = App()
CustomerSegments(app, "CustomerSegments")
app.synth()
