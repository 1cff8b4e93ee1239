"""The AWS Load Balancer Controller: Ingresses of class alb as load balancers, listeners, rules and target groups."""
