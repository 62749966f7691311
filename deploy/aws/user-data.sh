#!/bin/bash
# Sets up Reelshelf on a new Debian instance. The launch template (instance.yaml or group.yaml) exports the
# variables in capitals and runs this script once, on the first boot. The script reads secrets from Secrets
# Manager, writes them to files with mode 600, and never prints them.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

instance=$(</var/lib/cloud/data/instance-id)
architecture=$(dpkg --print-architecture)

finish() { # signals the result to the stack; a stack that does not wait rejects the signal
    local status=FAILURE
    [[ $1 -eq 0 ]] && status=SUCCESS
    aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id AutoScalingGroup \
        --unique-id "$instance" --status "$status" || true
}
trap 'finish $?' EXIT

install_packages() { # keeps existing configuration files
    apt-get --quiet --option DPkg::Lock::Timeout=300 --option Dpkg::Options::=--force-confold \
        install --yes --no-install-recommends "$@"
}

secret() { # ID
    aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text
}

mount_volume() { # takes over the volume and the public address from the previous instance
    local device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME/-/}
    aws ec2 wait volume-available --volume-ids "$VOLUME"
    aws ec2 attach-volume --volume-id "$VOLUME" --instance-id "$instance" --device /dev/sdf
    aws ec2 associate-address --allocation-id "$ADDRESS" --instance-id "$instance"
    for _ in {1..120}; do
        [[ -b $device ]] && break
        sleep 1
    done
    blkid "$device" || [[ $? -ne 2 ]] || mkfs.ext4 -q "$device" # 2: no file system, so the volume is new

    # nofail: without the volume the instance still boots, so that you can inspect it; the service does not start
    echo "$device /data ext4 nofail 0 2" >>/etc/fstab
    mkdir /data
    mount /data
    local place
    for place in /var/lib/reelshelf /etc/letsencrypt; do
        mkdir -p "$place" "/data$place"
        echo "/data$place $place none bind,nofail 0 0" >>/etc/fstab
        mount "$place"
    done
    systemctl daemon-reload
}

configure() {
    local database=sqlite:/var/lib/reelshelf/reelshelf.db listen=0.0.0.0 proxy=10.0.0.0/16
    [[ $TEMPLATE == instance ]] && listen=127.0.0.1 proxy=127.0.0.1
    install -D -m 600 /dev/null /etc/reelshelf/credentials/owner-password
    install -D -m 600 /dev/null /etc/reelshelf/reelshelf.env
    mkdir -p /etc/systemd/system/reelshelf.service.d
    secret "$OWNER_SECRET" >/etc/reelshelf/credentials/owner-password
    if [[ -n $DATABASE_HOST ]]; then
        curl --fail --silent --show-error --output /etc/reelshelf/rds.pem \
            https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
        database="postgres://reelshelf:$(secret "$DATABASE_SECRET")@$DATABASE_HOST/reelshelf"
        database+='?sslmode=verify-full&sslrootcert=/etc/reelshelf/rds.pem'
    fi
    cat >/etc/reelshelf/reelshelf.env <<END
REELSHELF_DATABASE="$database"
REELSHELF_LISTEN=$listen:8080
REELSHELF_PUBLIC_URL=https://$DOMAIN
REELSHELF_TRUSTED_PROXY=$proxy
REELSHELF_OWNER=$OWNER
TMPDIR=/var/tmp
END
    # TMPDIR: /tmp is in memory, which a large import could fill. IPAddressDeny: the service must not get the
    # instance's credentials from the metadata service.
    cat >/etc/systemd/system/reelshelf.service.d/aws.conf <<'END'
[Service]
LoadCredential=owner-password:/etc/reelshelf/credentials/owner-password
Environment=REELSHELF_OWNER_PASSWORD_FILE=%d/owner-password
IPAddressDeny=169.254.169.254
END
}

proxy() { # nginx serves only port 80 until there is a certificate; the package contains its sites
    install_packages certbot nginx
    rm -f /etc/nginx/sites-enabled/default
    sed /127.0.0.1:8081/d /usr/share/reelshelf/nginx/reelshelf.conf >/etc/nginx/sites-available/reelshelf.conf
    ln -sf /usr/share/reelshelf/nginx/redirect.conf /etc/nginx/sites-enabled/
    systemctl reload-or-restart nginx
    # The DNS record may not exist yet. Four attempts an hour stay below the rate limits of Let's Encrypt.
    # certbot.timer renews the certificate and runs the same deploy hook.
    cat >/etc/systemd/system/certificate.service <<END
[Unit]
Description=The first certificate for $DOMAIN
After=network-online.target nginx.service
Wants=network-online.target
[Service]
Type=oneshot
ExecStart=certbot certonly --non-interactive --agree-tos --email $MAIL --keep-until-expiring \\
    --webroot --webroot-path /var/www/html --cert-name reelshelf --domain $DOMAIN \\
    --deploy-hook "systemctl reload nginx"
ExecStart=ln -sf ../sites-available/reelshelf.conf /etc/nginx/sites-enabled/
ExecStart=systemctl reload nginx
Restart=on-failure
RestartSec=15min
[Install]
WantedBy=multi-user.target
END
    systemctl enable certificate
    systemctl start --no-block certificate
}

monitor() { # logs and metrics to CloudWatch, shells by Session Manager
    local from=s3://amazoncloudwatch-agent-$AWS_DEFAULT_REGION/debian/$architecture/latest
    aws s3 cp "$from/amazon-cloudwatch-agent.deb" /root/
    from=s3://amazon-ssm-$AWS_DEFAULT_REGION/latest/debian_$architecture
    aws s3 cp "$from/amazon-ssm-agent.deb" /root/
    install_packages logrotate rsyslog /root/amazon-{cloudwatch,ssm}-agent.deb
    cat >/root/cloudwatch.json <<END
{
  "logs": {"logs_collected": {"files": {"collect_list": [
    {"file_path": "/var/log/syslog", "log_group_name": "$LOGS", "log_stream_name": "{instance_id}"}
  ]}}},
  "metrics": {
    "namespace": "Reelshelf",
    "append_dimensions": {"AutoScalingGroupName": "\${aws:AutoScalingGroupName}"},
    "aggregation_dimensions": [["AutoScalingGroupName"]],
    "metrics_collected": {
      "disk": {"measurement": ["used_percent"], "resources": ["/", "/data"], "drop_device": true},
      "procstat": [{"exe": "reelshelf", "measurement": ["pid_count"]}]
    }
  }
}
END
    /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl \
        -a fetch-config -m ec2 -s -c file:/root/cloudwatch.json
}

install_packages curl e2fsprogs unattended-upgrades
monitor
[[ $TEMPLATE == instance ]] && mount_volume
configure
aws s3 cp "$RELEASE/reelshelf.deb" /root/
install_packages /root/reelshelf.deb # starts the service
[[ $TEMPLATE == instance ]] && proxy
curl --fail --silent --show-error --retry 100 --retry-delay 3 --retry-all-errors \
    http://127.0.0.1:8080/health/ready
