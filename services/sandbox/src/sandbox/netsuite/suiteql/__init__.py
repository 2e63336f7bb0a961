"""SuiteQL as far as it is carried out: read strictly, answered from memory."""
