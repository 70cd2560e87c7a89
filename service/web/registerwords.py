"""The register's codes in the reader's language: types, fields, grades, states."""

from __future__ import annotations

from flask import Flask
from flask_babel import gettext as _

STATES = ("active", "revoked", "exited")


def init_app(app: Flask) -> None:
    """Give templates these words as filters."""
    app.jinja_env.filters.update(
        base_type=lambda code: types().get(code, code),
        base_field=lambda code: fields().get(code, code),
        base_status=lambda code: statuses().get(code, code),
        grade=lambda code: grades().get(code, code),
        rule_set=lambda code: rule_sets().get(code, code),
        region=lambda name: regions().get(name, name),
        programme=lambda code: programmes().get(code, code),
        word=word,
    )


def types() -> dict[str, str]:
    """The four types of article 2."""
    return {
        "IP": _("国际创新园"),
        "JC": _("国际联合研究中心"),
        "TT": _("国际技术转移中心"),
        "DB": _("示范型国际科技合作基地"),
    }


def fields() -> dict[str, str]:
    """The eight fields of article 15."""
    return {
        "energy": _("能源资源开发利用"),
        "materials": _("新材料与先进制造"),
        "information": _("信息网络"),
        "agriculture": _("现代农业"),
        "health": _("生物与健康"),
        "environment": _("生态环境保护"),
        "space": _("空间和海洋"),
        "safety": _("公共安全"),
    }


def statuses() -> dict[str, str]:
    """Whether a base still is one."""
    return {"active": _("在册"), "revoked": _("已取消资格"), "exited": _("已退出")}


def regions() -> dict[str, str]:
    """Provinces, municipalities, autonomous regions and the cities that plan by themselves."""
    return {
        "北京": _("北京"),
        "天津": _("天津"),
        "河北": _("河北"),
        "山西": _("山西"),
        "内蒙古": _("内蒙古"),
        "辽宁": _("辽宁"),
        "吉林": _("吉林"),
        "黑龙江": _("黑龙江"),
        "上海": _("上海"),
        "江苏": _("江苏"),
        "浙江": _("浙江"),
        "安徽": _("安徽"),
        "福建": _("福建"),
        "江西": _("江西"),
        "山东": _("山东"),
        "河南": _("河南"),
        "湖北": _("湖北"),
        "湖南": _("湖南"),
        "广东": _("广东"),
        "广西": _("广西"),
        "海南": _("海南"),
        "重庆": _("重庆"),
        "四川": _("四川"),
        "贵州": _("贵州"),
        "云南": _("云南"),
        "西藏": _("西藏"),
        "陕西": _("陕西"),
        "甘肃": _("甘肃"),
        "青海": _("青海"),
        "宁夏": _("宁夏"),
        "新疆": _("新疆"),
        "香港": _("香港"),
        "澳门": _("澳门"),
        "台湾": _("台湾"),
        "兵团": _("兵团"),
        "大连": _("大连"),
        "青岛": _("青岛"),
        "宁波": _("宁波"),
        "厦门": _("厦门"),
        "深圳": _("深圳"),
    }


def rule_sets() -> dict[str, str]:
    """The measures under which bases were accredited (articles 22 and 23)."""
    return {
        "2011": _("《国家国际科技合作基地管理办法》（2011 年）"),
        "trial": _("《国际科技合作基地管理办法（试行）》"),
    }


def grades() -> dict[str, str]:
    """The grades of the yearly assessment."""
    return {
        "excellent": _("优秀"),
        "good": _("良好"),
        "qualified": _("合格"),
        "failed": _("不合格"),
        "excused": _("不符合评估条件"),
    }


def programmes() -> dict[str, str]:
    """Where a project comes from."""
    return {
        "special": _("国际科技合作专项"),
        "intergovernmental": _("政府间科技合作项目"),
        "provincial": _("省级项目"),
        "other": _("其他"),
    }


def word(code: str) -> str:
    """Any other state of the register's rows."""
    return {
        "accepted": _("已接收"),
        "overdue": _("逾期未报"),
        "late": _("逾期补报"),
        "ongoing": _("执行中"),
        "completed": _("已完成"),
        "terminated": _("已终止"),
        "invited": _("已邀请"),
        "member": _("成员"),
        "declined": _("未加入"),
        "left": _("已退出"),
        "nominated": _("已提名"),
        "supported": _("已入选"),
        "requested": _("已提出"),
        "recognised": _("外方已认可"),
        "refused": _("外方未认可"),
        "confirmed": _("机制已确认"),
        "placed": _("已挂牌"),
        "ended": _("已终止"),
        "affiliation": _("隶属"),
        "territory": _("属地"),
        "national": _("国家级"),
        "provincial": _("省部级"),
        "other": _("其他"),
    }.get(code, code)
